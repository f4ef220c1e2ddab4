using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Report.Pages;

namespace CoPe.Experiments.Tests.Report;

public class SweepReportTests
{
    [Fact]
    public void Methods_that_a_key_leaves_as_they_are_stand_in_the_table_and_are_not_drawn()
    {
        using var page = new StringWriter();
        SweepReport.Write(
            new()
            {
                Title = "headlines",
                Lead = "On 3 queries.",
                Keys = [Key(["base"])],
                RecipeYaml = "seed: 42",
            },
            page
        );
        Assert.Contains("The same at every value, and not drawn: base.", page.ToString(), StringComparison.Ordinal);
        Assert.Contains("<th scope=\"col\">base</th>", page.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("base at 0", page.ToString(), StringComparison.Ordinal);
        Assert.Contains("CoPe at 0", page.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_every_method_moves_all_are_drawn()
    {
        using var page = new StringWriter();
        SweepReport.Write(
            new()
            {
                Title = "headlines",
                Lead = "On 3 queries.",
                Keys = [Key([])],
                RecipeYaml = "",
            },
            page
        );
        Assert.DoesNotContain("not drawn", page.ToString(), StringComparison.Ordinal);
        Assert.Contains("base at 0", page.ToString(), StringComparison.Ordinal);
    }

    static SweepKey Key(IReadOnlyList<string> unmoved) =>
        new()
        {
            Key = "decode.contrast",
            Values = ["0", "0.1"],
            Chosen = 1,
            ChoiceExplanation = "Chosen: 0.1.",
            UnaffectedMethods = unmoved,
            Panels = [new(new() { Name = "ROUGE-L" }, [Series("base", 0.1, 0.1), Series("CoPe", 0.1, 0.2)])],
        };

    static SweepSeries Series(string method, params double[] means) =>
        new(method, [.. means.Select(mean => new MeanWithError(mean, 0.01, 3))]);
}
