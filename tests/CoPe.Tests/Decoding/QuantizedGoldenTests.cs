using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Scoring;
using CoPe.Testing;

namespace CoPe.Tests.Decoding;

/// <summary>The golden cases with rounded weights: lossy, so near the goldens, not equal to them.</summary>
[Collection("torch")]
public class QuantizedGoldenTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(QuantizedDtype.Int8, .15, 1.2)]
    [InlineData(QuantizedDtype.Q4, .8, 6)]
    public void Every_step_of_the_references_runs_has_nearly_the_same_log_probabilities(
        QuantizedDtype dtype,
        double average,
        double most
    )
    {
        foreach (var (root, golden) in GoldenModel.DecodeFiles())
        {
            var name = golden.GetProperty("model").GetString()!;
            using var exact = GoldenModel.Open(root, name);
            using var rounded = GoldenModel.Open(root, name, dtype);
            var items = golden
                .GetProperty("contrastive")
                .EnumerateArray()
                .Select(
                    (run, i) =>
                        new ScoringItem(
                            $"{i}",
                            GoldenModel.Ids(run.GetProperty("prompt")),
                            [GoldenModel.Ids(run.GetProperty("tokens"))],
                            [GoldenModel.Expert, AdapterSelection.Task]
                        )
                )
                .ToList();
            var differences = exact
                .Scorer()
                .Score(items)
                .Zip(rounded.Scorer().Score(items))
                .SelectMany(pair => pair.First.LogProbs.Zip(pair.Second.LogProbs, (a, b) => Math.Abs(a - b)))
                .ToList();
            output.WriteLine(
                $"{root}: {name}, {differences.Count} log-probabilities, "
                    + $"off by {differences.Average():G2} on average, {differences.Max():G2} at most"
            );
            Assert.InRange(differences.Average(), 1e-6, average);
            Assert.InRange(differences.Max(), 1e-6, most);
        }
    }
}
