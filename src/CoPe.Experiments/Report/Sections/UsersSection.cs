using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report.Plots;

namespace CoPe.Experiments.Report.Sections;

/// <summary>Whom it helped: gains per user, and gains against history length.</summary>
sealed class UsersSection : ReportSection
{
    /// <summary>Comparisons drawn in every metric and against history length.</summary>
    const int Foremost = 2;

    /// <summary>Users named at either end where not all are drawn.</summary>
    const int Extremes = 5;

    public override string Id => "users";

    public override string Title => "Whom it helped";

    public override bool HasData(ReportModel model) => Metrics(model).Count > 0;

    protected override string EmptyMessage =>
        "There are no scores per user for two methods to compare, so it cannot be shown whom personalization helped.";

    protected override string Lead(ReportModel model) =>
        "Each bar is a user, sorted by gain: the difference of the user's mean scores, "
        + "above 0 where the method is better than what it is compared with.";

    protected override void WriteContent(Markup markup, ReportModel model)
    {
        var metrics = Metrics(model);
        WriteMetric(markup, Gains(model, metrics[0], model.Comparisons.Count));
        foreach (var metric in metrics.Skip(1))
        {
            using (markup.Open("details"))
            {
                markup.Element("summary", $"The same in {metric.Name}");
                WriteMetric(markup, Gains(model, metric, Foremost));
            }
        }
    }

    static List<MetricColumn> Metrics(ReportModel model) =>
        [
            .. HeadlineOrder
                .Metrics(model)
                .Where(metric => !metric.IsDescriptive && Gains(model, metric, model.Comparisons.Count).Count > 0),
        ];

    static List<UserGains> Gains(ReportModel model, MetricColumn metric, int comparisons) =>
        [
            .. model
                .Comparisons.Take(comparisons)
                .Select(comparison => UserGains.Compute(model, comparison, metric))
                .Where(gains => gains.Sorted.Count > 0),
        ];

    static void WriteMetric(Markup markup, List<UserGains> all)
    {
        using (markup.Open("div", ("class", all.Count > Foremost ? "grid three" : "grid")))
        {
            foreach (var gains in all)
            {
                WriteFigure(
                    markup,
                    $"{gains.Comparison.Method} against {gains.Comparison.Baseline}",
                    gains.Metric.Name,
                    () => WriteDifferences(markup, gains)
                );
            }
        }

        var known = all.Take(Foremost).Where(HistoryGainPlot.CanShow).ToList();
        if (known.Count == 0)
        {
            markup.Element(
                "p",
                $"Gain is not drawn against history length: that takes {HistoryGainPlot.FewestUsers} users or more, "
                    + "with histories of different known lengths, and a gain or a loss.",
                ("class", "absent")
            );
        }
        else
        {
            using (markup.Open("div", ("class", "grid below")))
            {
                foreach (var gains in known)
                {
                    WriteFigure(
                        markup,
                        "Gain against history length",
                        $"{gains.Comparison.Method} against {gains.Comparison.Baseline}, {gains.Metric.Name}",
                        () => WriteHistory(markup, gains)
                    );
                }
            }
        }
    }

    static void WriteDifferences(Markup markup, UserGains gains)
    {
        HelpedHurtBar.Write(markup, gains.Helped, gains.Hurt, gains.Equal);
        if (gains.Helped + gains.Hurt == 0)
        {
            markup.Element(
                "p",
                gains.Equal == 1
                    ? "The one user has the same score under both."
                    : "Every user has the same score under both.",
                ("class", "absent")
            );
            return;
        }

        UserDifferencePlot.Write(markup, gains);
        if (gains.Sorted.Count > UserDifferencePlot.MaxBars)
        {
            var drawn = $"{UserDifferencePlot.MaxBars} of {NumberFormat.Count(gains.Sorted.Count)} users drawn";
            markup.Element("p", $"{drawn}, taken evenly by rank.", ("class", "note"));
            WriteExtremes(markup, gains);
        }
    }

    /// <summary>Who stands at either end, where not every user is drawn.</summary>
    static void WriteExtremes(Markup markup, UserGains gains)
    {
        using (markup.Open("p", ("class", "note")))
        {
            markup.Text("Most gained: ");
            WriteUsers(markup, gains.Sorted.Take(Extremes));
            markup.Text("; most lost: ");
            WriteUsers(markup, gains.Sorted.TakeLast(Extremes).Reverse());
            markup.Text(". users.csv has every user.");
        }
    }

    static void WriteUsers(Markup markup, IEnumerable<UserGain> users)
    {
        foreach (var (place, user) in users.Index())
        {
            markup.Text(place == 0 ? "" : ", ").Element("bdi", user.User).Text($" {NumberFormat.Signed(user.Gain)}");
        }
    }

    static void WriteHistory(Markup markup, UserGains gains)
    {
        HistoryGainPlot.Write(markup, gains);
        var known = gains.Sorted.Where(user => user.HistoryLength is not null).ToList();
        var drawn =
            known.Count > HistoryGainPlot.MaxDots
                ? $"; {NumberFormat.Count(HistoryGainPlot.MaxDots)} drawn, taken evenly by rank of gain"
                : "";
        markup.Element("p", HistoryGainPlot.Describe(gains, known) + drawn + ".", ("class", "note"));
    }
}
