using System.Globalization;
using CoPe.Experiments.Runs.Pretraining;

namespace CoPe.Experiments.Tests.Runs.Pretraining;

public sealed class PretrainCorpusTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("cope-corpus-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0.05, 5)]
    [InlineData(0.001, 1)]
    [InlineData(0, 0)]
    public void What_is_held_out_lies_evenly_over_the_corpus_and_the_rest_keeps_its_order(double share, int expected)
    {
        File.WriteAllLines(Path.Combine(_folder, "neutral.txt"), Enumerable.Range(0, 100).Select(n => $"{n}"));
        File.WriteAllLines(
            Path.Combine(_folder, "instructions.jsonl"),
            Enumerable.Range(0, 100).Select(n => $$"""{"prompt": "{{n}}", "answer": "a"}""")
        );
        var corpus = PretrainCorpus.Load(
            new() { Corpus = _folder, DevelopmentShare = share },
            _folder,
            progress: null,
            TestContext.Current.CancellationToken
        );
        Check(corpus.HeldOutDocuments, corpus.Documents);
        Check(
            [.. corpus.HeldOutInstructions.Select(instruction => instruction.Prompt)],
            [.. corpus.Instructions.Select(instruction => instruction.Prompt)]
        );

        void Check(IReadOnlyList<string> heldOut, IReadOnlyList<string> trained)
        {
            int[] held = [.. heldOut.Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
            int[] kept = [.. trained.Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
            Assert.Equal(expected, held.Length);
            Assert.Equal(Enumerable.Range(0, 100), held.Concat(kept).Order());
            Assert.Equal(kept.Order(), kept);
            foreach (var (one, next) in held.Zip(held.Skip(1)))
            {
                Assert.Equal(100 / expected, next - one);
            }
        }
    }
}
