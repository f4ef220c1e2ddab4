using CoPe.Evaluation.Report.Plots;

namespace CoPe.Evaluation.Report.Sections;

/// <summary>Whom it helped: gains per user, and gains against history length.</summary>
internal sealed class UsersSection : ReportSection
{
    /// <inheritdoc/>
    public override string Id => "users";

    /// <inheritdoc/>
    public override string Title => "Whom it helped";

    /// <inheritdoc/>
    public override bool HasData(ReportModel model) => model.Results.Metrics.Any(metric => Gains(model, metric).Count > 0);

    /// <inheritdoc/>
    protected override string Absence => "There are no scores per user for two methods to compare, so it cannot be shown whom personalisation helped.";

    /// <inheritdoc/>
    protected override string Lead(ReportModel model) =>
        "Each bar is a user, sorted by gain: the difference of the user's mean scores, above 0 where the method is better than what it is compared with.";

    /// <inheritdoc/>
    protected override void WriteContent(Markup markup, ReportModel model)
    {
        var metrics = HeadlineOrder.Of(model).Where(metric => Gains(model, metric).Count > 0).ToList();
        WriteMetric(markup, model, metrics[0]);
        foreach (var metric in metrics.Skip(1))
            using (markup.Open("details"))
            {
                markup.Element("summary", $"The same in {metric.Name}");
                WriteMetric(markup, model, metric);
            }
    }

    private static List<UserGains> Gains(ReportModel model, MetricColumn metric) =>
        [.. model.Comparisons.Select(comparison => UserGains.Of(model, comparison, metric)).Where(gains => gains.Sorted.Count > 0)];

    private static void WriteMetric(Markup markup, ReportModel model, MetricColumn metric)
    {
        var all = Gains(model, metric);
        using (markup.Open("div", ("class", "grid")))
        {
            foreach (var gains in all)
                WriteFigure(markup, $"{gains.Comparison.Method} against {gains.Comparison.Baseline}", metric.Name, () => WriteDifferences(markup, gains));
            foreach (var gains in all.Where(HasEnoughHistories))
                WriteFigure(markup, "Gain against history length", $"{gains.Comparison.Method} against {gains.Comparison.Baseline}, {metric.Name}",
                    () => WriteHistory(markup, gains));
        }
        if (!all.Any(HasEnoughHistories))
            markup.Element("p", $"Gain is not drawn against history length: that takes {HistoryGainPlot.FewestUsers} users with a known history length.", ("class", "absent"));
    }

    private static bool HasEnoughHistories(UserGains gains) => gains.Sorted.Count(user => user.HistoryLength is not null) >= HistoryGainPlot.FewestUsers;

    private static void WriteDifferences(Markup markup, UserGains gains)
    {
        HelpedHurtBar.Write(markup, gains.Helped, gains.Hurt, gains.Sorted.Count - gains.Helped - gains.Hurt);
        UserDifferencePlot.Write(markup, gains);
        if (gains.Sorted.Count > UserDifferencePlot.MaxBars)
            markup.Element("p", $"{UserDifferencePlot.MaxBars} of {Figures.Count(gains.Sorted.Count)} users drawn, taken evenly by rank.", ("class", "note"));
    }

    private static void WriteHistory(Markup markup, UserGains gains)
    {
        HistoryGainPlot.Write(markup, gains);
        var known = gains.Sorted.Where(user => user.HistoryLength is not null).ToList();
        var drawn = known.Count > HistoryGainPlot.MaxDots ? $"; {Figures.Count(HistoryGainPlot.MaxDots)} drawn, taken evenly by rank of gain" : "";
        markup.Element("p", HistoryGainPlot.Describe(gains, known) + drawn + ".", ("class", "note"));
    }
}
