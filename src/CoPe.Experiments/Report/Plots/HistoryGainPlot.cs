namespace CoPe.Experiments.Report.Plots;

/// <summary>One dot per user: gain against the number of history items, with a least-squares line.</summary>
static class HistoryGainPlot
{
    /// <summary>Fewest users whose gains are worth setting against their histories.</summary>
    public const int FewestUsers = 3;

    /// <summary>Most dots drawn.</summary>
    public const int MaxDots = 1500;

    const double Height = 236;
    const double Bottom = 196;

    /// <summary>
    /// True where there are users enough, their histories differ in length, and not all of them are where they were.
    /// </summary>
    public static bool CanShow(UserGains gains)
    {
        var lengths = gains.Sorted.Where(user => user.HistoryLength is not null).Select(Length).ToList();
        return lengths.Count >= FewestUsers && lengths.Distinct().Count() > 1 && gains.Helped + gains.Hurt > 0;
    }

    /// <summary>Draws the users whose history length is known; at least one.</summary>
    public static void Write(Markup markup, UserGains gains)
    {
        var users = gains.Sorted.Where(user => user.HistoryLength is not null).ToList();
        var shown = PlotSample.TakeEvenly(users, MaxDots);
        var y = PlotScale.Round(
            Math.Min(0, users.Min(user => user.Gain)),
            Math.Max(0, users.Max(user => user.Gain)),
            Bottom - 6,
            10,
            5
        );
        var left = PlotCanvas.LabelWidth(y, 5);
        var x = LengthScale(users, left);
        var canvas = new PlotCanvas(markup);
        using (canvas.Open(Height, $"Gain in {gains.Metric.Name} against history length", Describe(gains, users)))
        {
            canvas.VerticalAxis(y, left, PlotCanvas.Width, 5);
            canvas.HorizontalAxis(x, Bottom, x.Logarithmic ? "history items (logarithmic)" : "history items");
            canvas.Line("axis", left, y.Map(0), PlotCanvas.Width, y.Map(0));
            WriteTrend(canvas, x, y, users);
            foreach (var user in shown)
            {
                canvas.Dot(
                    user.Gain < 0 ? "dot hurt"
                        : user.Gain > 0 ? "dot helped"
                        : "dot equal",
                    x.Map(Length(user)),
                    y.Map(user.Gain),
                    4.2,
                    user.Describe(gains.Comparison)
                );
            }
        }
    }

    /// <summary>What the drawing shows, in a sentence.</summary>
    public static string Describe(UserGains gains, IReadOnlyList<UserGain> users)
    {
        var correlation = RankCorrelation.Spearman([.. users.Select(Length)], [.. users.Select(user => user.Gain)]);
        var subject =
            $"{gains.Comparison.Method} against {gains.Comparison.Baseline}, {NumberFormat.Count(users.Count, "user")}";
        return double.IsFinite(correlation)
            ? $"{subject}; rank correlation of gain and history length {NumberFormat.Signed(correlation)}"
            : subject;
    }

    static double Length(UserGain user) => user.HistoryLength ?? 0;

    static PlotScale LengthScale(List<UserGain> users, double left)
    {
        var (min, max) = (users.Min(Length), users.Max(Length));
        return min > 0 && max / min > 20
            ? new PlotScale
            {
                Min = min / 1.15,
                Max = max * 1.15,
                From = left + 4,
                To = PlotCanvas.Width - 8,
                Logarithmic = true,
            }
            : PlotScale.Round(min, max, left + 4, PlotCanvas.Width - 8, 5) with
            {
                IntegersOnly = true,
            };
    }

    static void WriteTrend(PlotCanvas canvas, PlotScale x, PlotScale y, List<UserGain> users)
    {
        var (meanX, meanY) = (users.Average(user => x.Map(Length(user))), users.Average(user => y.Map(user.Gain)));
        var spread = users.Sum(user => Math.Pow(x.Map(Length(user)) - meanX, 2));
        if (users.Count < FewestUsers || spread < 1e-9)
        {
            return;
        }

        var slope = users.Sum(user => (x.Map(Length(user)) - meanX) * (y.Map(user.Gain) - meanY)) / spread;
        var (start, end) = (users.Min(user => x.Map(Length(user))), users.Max(user => x.Map(Length(user))));
        canvas.Line("trend", start, meanY + (slope * (start - meanX)), end, meanY + (slope * (end - meanX)));
    }
}
