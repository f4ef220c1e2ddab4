using CoPe.Cli.Display;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Results;

namespace CoPe.Cli.Tests.Display;

public class SignificanceSentencesTests
{
    static SignificanceLine Test(
        string method,
        string baseline,
        double difference,
        double p,
        int users = 24,
        string unit = "users"
    ) =>
        new()
        {
            Method = method,
            Baseline = baseline,
            Metric = "rouge-l",
            Difference = difference,
            BootstrapP = p,
            SignP = p,
            Unit = unit,
            Helped = users - 3,
            Hurt = 2,
            Equal = 1,
        };

    [Fact]
    public void Each_pair_is_a_sentence_and_only_what_is_significant_is_an_order() =>
        Assert.Equal(
            [
                "In ROUGE-L, by users (24), at p < .05 each:",
                "- CoPe is better than SFT (+0.0600, p <.001; 21 users better, 2 worse).",
                "- CoPe and SFT+CD do not differ significantly (+0.0100, p 0.050).",
                "- SFT+CD is worse than SFT (-0.0200, p 0.049; 21 users better, 2 worse).",
                "",
            ],
            SignificanceSentences.Create(
                [Test("sft+cd", "sft", -.02, .049), Test("cope", "sft", .06, .0001), Test("cope", "sft+cd", .01, .05)],
                Metric.RougeL
            )
        );

    [Fact]
    public void Where_lower_is_better_a_fall_is_better()
    {
        var sentences = SignificanceSentences.Create([Test("cope", "sft", -.06, .01)], Metric.StyleDistance);
        Assert.Contains("CoPe is better than SFT", sentences[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Too_few_users_or_other_units_say_nothing()
    {
        Assert.Empty(SignificanceSentences.Create([Test("cope", "sft", .06, .01, users: 9)], Metric.RougeL));
        Assert.Empty(SignificanceSentences.Create([Test("cope", "sft", .06, .01, unit: "queries")], Metric.RougeL));
        Assert.Empty(SignificanceSentences.Create([], Metric.RougeL));
    }
}
