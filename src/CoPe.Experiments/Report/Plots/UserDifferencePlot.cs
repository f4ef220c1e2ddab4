namespace CoPe.Experiments.Report.Plots;

/// <summary>One bar per user, sorted by gain: who was helped, who was hurt, and by how much.</summary>
static class UserDifferencePlot
{
    /// <summary>Most bars that can be told apart; above it, users are taken evenly by rank.</summary>
    public const int MaxBars = 360;

    const double Height = 200;

    /// <summary>Draws at least one user.</summary>
    public static void Write(Markup markup, UserGains gains)
    {
        var users = PlotSample.TakeEvenly(gains.Sorted, MaxBars);
        var canvas = new PlotCanvas(markup);
        var scale = PlotScale.Round(
            Math.Min(0, users.Min(user => user.Gain)),
            Math.Max(0, users.Max(user => user.Gain)),
            Height - 8,
            10,
            5
        );
        var left = PlotCanvas.LabelWidth(scale, 5);
        var title =
            $"Gain in {gains.Metric.Name} per user, {gains.Comparison.Method} against {gains.Comparison.Baseline}";
        using (canvas.Open(Height, title, Describe(gains)))
        {
            canvas.VerticalAxis(scale, left, PlotCanvas.Width, 5);
            WriteBars(canvas, scale, left, users, gains.Comparison);
            canvas.Line("axis", left, scale.Map(0), PlotCanvas.Width, scale.Map(0));
            canvas.Line("mean", left, scale.Map(gains.Mean), PlotCanvas.Width, scale.Map(gains.Mean));
            WriteMeanLabel(canvas, scale.Map(gains.Mean), left, gains.Mean);
        }
    }

    static string Describe(UserGains gains)
    {
        var users = NumberFormat.Count(gains.Sorted.Count, "user");
        var best = NumberFormat.Signed(gains.Sorted[0].Gain);
        var worst = NumberFormat.Signed(gains.Sorted[^1].Gain);
        return $"{NumberFormat.Count(gains.Helped)} of {users} helped, {NumberFormat.Count(gains.Hurt)} hurt, "
            + $"from {best} to {worst}, mean {NumberFormat.Signed(gains.Mean)}";
    }

    /// <summary>
    /// The label is where the bars are short: at the right end above a mean gain, at the left end below a mean
    /// loss.
    /// </summary>
    static void WriteMeanLabel(PlotCanvas canvas, double line, double left, double mean)
    {
        var text = $"mean {NumberFormat.Signed(mean)}";
        if (mean < 0)
        {
            canvas.Label("caption", left + 3, line + 14, text);
        }
        else
        {
            canvas.Label("caption end", PlotCanvas.Width, line > 24 ? line - 5 : line + 14, text);
        }
    }

    static void WriteBars(
        PlotCanvas canvas,
        PlotScale scale,
        double left,
        IReadOnlyList<UserGain> users,
        MethodComparison comparison
    )
    {
        var slot = (PlotCanvas.Width - left - 4) / users.Count;
        var width = Math.Clamp(slot * 0.82, 0.6, 34);
        for (var index = 0; index < users.Count; index++)
        {
            var middle = left + 2 + (slot * (index + 0.5));
            var end = scale.Map(users[index].Gain);
            var reach = Math.Abs(end - scale.Map(0)) < 1 ? scale.Map(0) - 1 : end;
            var style = users[index].Gain switch
            {
                > 0 => "helped",
                < 0 => "hurt",
                _ => "equal",
            };
            canvas.Box(
                style,
                (middle - (width / 2), scale.Map(0)),
                (middle + (width / 2), reach),
                users[index].Describe(comparison)
            );
        }
    }
}
