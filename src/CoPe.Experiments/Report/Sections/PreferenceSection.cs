using CoPe.Experiments.Report.Plots;

namespace CoPe.Experiments.Report.Sections;

/// <summary>What the adapters know: implicit rewards of the pairs, and the likelihood of the gold texts.</summary>
sealed class PreferenceSection : ReportSection
{
    public override string Id => "preference";

    public override string Title => "What the adapters learned";

    public override bool HasData(ReportModel model) =>
        Pairs(model).Count > 0 || Likelihoods(model).Count > 0 || model.PreferenceEffect is not null;

    protected override string EmptyMessage =>
        "Neither implicit rewards of preference pairs nor likelihoods of the gold texts were recorded in this run.";

    protected override string Lead(ReportModel model) =>
        "More sensitive than the text of an answer: does a user's adapter prefer the user's own text to a sampled one, "
        + "and does it find the gold texts more likely?";

    protected override void WriteContent(Markup markup, ReportModel model)
    {
        using (markup.Open("div", ("class", "grid three")))
        {
            if (Pairs(model) is { Count: > 0 } pairs)
            {
                WriteRewards(markup, pairs);
            }

            if (Likelihoods(model) is { Count: > 0 } rows)
            {
                WriteFigure(
                    markup,
                    "Gold texts",
                    "negative log-likelihood per token",
                    () => LikelihoodPlot.Write(markup, rows)
                );
            }
        }
        if (model.ExpertDistance is { } distance)
        {
            markup.Element(
                "p",
                $"Expert and amateur are {NumberFormat.Signed(distance)} nats a token apart: so much likelier are the "
                    + "users' own texts under SFT than under the TAM. Where it is hundredths, there is little to "
                    + "contrast."
            );
        }
        if (model.PreferenceEffect is { } effect)
        {
            WriteEffect(markup, effect);
        }

        if (Pairs(model).Count == 0)
        {
            markup.Element("p", "Implicit rewards of preference pairs were not recorded.", ("class", "absent"));
        }

        if (Likelihoods(model).Count == 0)
        {
            markup.Element("p", "Likelihoods of the gold texts were not recorded.", ("class", "absent"));
        }
    }

    static List<RewardPair> Pairs(ReportModel model) =>
        [.. model.Rewards.Where(pair => double.IsFinite(pair.Chosen) && double.IsFinite(pair.Rejected))];

    static List<GoldLikelihood> Likelihoods(ReportModel model) =>
        [.. model.GoldLikelihoods.Where(row => double.IsFinite(row.NegativeLogLikelihood))];

    static void WriteEffect(Markup markup, PreferenceEffect effect)
    {
        var moved = NumberFormat.SmallShare(effect.Movement);
        var users = NumberFormat.Count(effect.Users, "user");
        var pairs = NumberFormat.Count(effect.Pairs, "pair");
        markup.Element(
            "p",
            $"Preference training moved the adapters by {moved} of their size (median of {users}). Of the {pairs} of "
                + $"the first steps, {NumberFormat.Count(effect.RankedBefore)} were ranked right before it and "
                + $"{NumberFormat.Count(effect.RankedAfter)} after it."
                + Describe("the users' own texts", effect.Chosen)
                + Describe("the rejected ones", effect.Rejected)
        );
        if (effect.IsDisplaced)
        {
            markup.Element(
                "p",
                "Warning: likelihood displacement. The users' own texts are less likely after preference training than "
                    + "before it: the margin grew because the rejected texts lost more. Set dpo.rpo_alpha (1), or "
                    + "lower dpo.learning_rate.",
                ("class", "warning")
            );
        }
    }

    static string Describe(string texts, BeforeAndAfter? logProbability) =>
        logProbability is { } measured
            ? $" The mean log-probability of {texts} went from {NumberFormat.Value(measured.Before)} to "
                + $"{NumberFormat.Value(measured.After)} nats."
            : "";

    static void WriteRewards(Markup markup, List<RewardPair> pairs)
    {
        WriteFigure(
            markup,
            "Implicit reward",
            "log p(user) − log p(TAM)",
            () =>
            {
                WriteLegend(markup, [("chosen: own text", "helped"), ("rejected: sampled", "hurt")]);
                RewardHistogramPlot.Write(
                    markup,
                    "Implicit reward of chosen and rejected texts",
                    "implicit reward, in nats",
                    [
                        ("chosen", "helped", [.. pairs.Select(pair => pair.Chosen)]),
                        ("rejected", "hurt", [.. pairs.Select(pair => pair.Rejected)]),
                    ]
                );
            }
        );
        WriteFigure(
            markup,
            "Margin",
            "chosen − rejected",
            () =>
            {
                var right = pairs.Count(pair => pair.Chosen > pair.Rejected);
                var ranked = $"{NumberFormat.Count(right)} of {NumberFormat.Count(pairs.Count, "pair")}";
                using (markup.Open("p", ("class", "legend")))
                {
                    markup.Text($"own text ranked first in {ranked} ({NumberFormat.Share(right, pairs.Count)})");
                }

                RewardHistogramPlot.Write(
                    markup,
                    "Margin of chosen over rejected",
                    "margin, in nats",
                    [("margin", "s2", [.. pairs.Select(pair => pair.Chosen - pair.Rejected)])]
                );
            }
        );
    }
}
