using System.Text.Json;
using CoPe.Experiments.Evaluation;

namespace CoPe.Cli.Tests.Verbs;

/// <summary><c>cope evaluate</c> before all predictions of the recipe are there.</summary>
[Collection("torch")]
public sealed class PartialEvaluationTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    [Fact]
    public void What_is_there_is_measured_and_counts_as_complete_for_nothing_else()
    {
        Cope("train tam recipe.yaml", "train sft", "negatives sample", "negatives select", "train dpo");
        Assert.Equal(1, world.RunCommand(default, "evaluate", "--run", "part"));
        Assert.Contains("'cope predict --run part'", world.Error, StringComparison.Ordinal);

        Cope("predict --method cope", "evaluate");
        Assert.Contains("CoPe", world.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("SFT+CD", world.Output, StringComparison.Ordinal);
        Assert.Contains("base, tam, sft, sft+cd, dpo", world.Error, StringComparison.Ordinal);
        Assert.Equal(["cope"], ReadMethods());
        Assert.Equal(ReadScores("undisturbed", "cope", "rouge-l"), ReadScores("part", "cope", "rouge-l"));
        Assert.Contains(
            "\"predict\": \"[base, tam, sft, sft+cd, dpo, cope]\"",
            File.ReadAllText(world.RunAt("part").Manifest),
            StringComparison.Ordinal
        );

        Cope("evaluate");
        Assert.Contains("evaluate: complete already", world.Error, StringComparison.Ordinal);
        Cope("status");
        Assert.Contains("evaluate           out of date: predict was", world.Output, StringComparison.Ordinal);

        Cope("predict --method base", "evaluate");
        Assert.Equal(["base", "cope"], ReadMethods());
        Cope("predict", "evaluate", "report");
        Assert.DoesNotContain("not measured", world.Error, StringComparison.Ordinal);
        Assert.Equal(world.HashArtifacts("undisturbed"), world.HashArtifacts("part"));
    }

    void Cope(params IEnumerable<string> verbs)
    {
        foreach (var verb in verbs)
        {
            Assert.True(
                world.RunCommand(default, [.. verb.Split(' '), "--run", "part"]) == 0,
                $"{verb}: {world.Error}"
            );
        }
    }

    IReadOnlyList<string> ReadMethods() => ResultsFile.ReadJson(world.RunAt("part").Results).Methods;

    double ReadScores(string run, string method, string metric)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(world.RunAt(run).Results));
        return json.RootElement.GetProperty(method).GetProperty(metric).GetProperty("mean").GetDouble();
    }
}
