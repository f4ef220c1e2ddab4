namespace CoPe.Experiments.Report.Plots;

/// <summary>One dot per user: gain against the number of history items, with a least-squares line.</summary>
static class HistoryGainPlot
{
    /// <summary>Fewest users whose gains are worth plotting against their histories.</summary>
    public const int FewestUsers = 3;

    /// <summary>Most dots drawn.</summary>
    public const int MaxDots = 1500;

    const double Height = 236;
    const double Bottom = 196;

    /// <summary>
    /// True where there are users enough, their histories differ in length, and some of them gained or lost.
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
                    Style(user.Gain),
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
        var count = NumberFormat.Count(users.Count, "user");
        var subject = $"{gains.Comparison.Method} against {gains.Comparison.Baseline}, {count}";
        return double.IsFinite(correlation)
            ? $"{subject}; rank correlation of gain and history length {NumberFormat.Signed(correlation)}"
            : subject;
    }

    static string Style(double gain) =>
        gain switch
        {
            < 0 => "dot hurt",
            > 0 => "dot helped",
            _ => "dot equal",
        };

    static double Length(UserGain user) => user.HistoryLength ?? 0;

    static PlotScale LengthScale(List<UserGain> users, double left)
    {
        var (min, max) = (users.Min(Length), users.Max(Length));
        var (from, to) = (left + 4, PlotCanvas.Width - 8);
        if (min <= 0 || max / min <= 20)
        {
            return PlotScale.Round(min, max, from, to, 5) with { IntegersOnly = true };
        }

        return new PlotScale
        {
            Min = min / 1.15,
            Max = max * 1.15,
            From = from,
            To = to,
            Logarithmic = true,
        };
    }

    static void WriteTrend(PlotCanvas canvas, PlotScale x, PlotScale y, List<UserGain> users)
    {
        var meanX = users.Average(X);
        var meanY = users.Average(Y);
        var spread = users.Sum(user => Math.Pow(X(user) - meanX, 2));
        if (users.Count < FewestUsers || spread < 1e-9)
        {
            return;
        }

        var slope = users.Sum(user => (X(user) - meanX) * (Y(user) - meanY)) / spread;
        var start = users.Min(X);
        var end = users.Max(X);
        canvas.Line("trend", start, meanY + (slope * (start - meanX)), end, meanY + (slope * (end - meanX)));

        double X(UserGain user) => x.Map(Length(user));

        double Y(UserGain user) => y.Map(user.Gain);
    }
}
