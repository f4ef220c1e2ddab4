namespace CoPe.Experiments.Report.Plots;

/// <summary>Histograms over one scale, one upon the other, each with a dashed line at its mean.</summary>
static class RewardHistogramPlot
{
    const double Height = 226;
    const double Left = 48;
    const double Bottom = 184;
    const int Bins = 30;

    /// <summary>Draws one or two series of finite values; each names the class that colors it.</summary>
    public static void Write(
        Markup markup,
        string title,
        string caption,
        IReadOnlyList<(string Name, string Style, double[] Values)> series
    )
    {
        var all = series.SelectMany(one => one.Values).ToList();
        var x = PlotScale.Round(all.Min(), all.Max(), Left + 2, PlotCanvas.Width - 4, 6);
        var counts = series.Select(one => Count(one.Values, x)).ToList();
        var y = PlotScale.Round(0, counts.Max(bins => bins.Max()), Bottom, 20) with { IntegersOnly = true };
        var canvas = new PlotCanvas(markup);
        var description = string.Join("; ", series.Select(one => Describe(one.Name, one.Values)));
        using (canvas.Open(Height, title, description))
        {
            canvas.VerticalAxis(y, Left, PlotCanvas.Width, 3);
            canvas.HorizontalAxis(x, Bottom, caption, 6);
            for (var index = 0; index < series.Count; index++)
            {
                WriteBars(canvas, x, y, series[index].Name, series[index].Style, counts[index]);
            }

            if (x.Min < 0 && x.Max > 0)
            {
                canvas.Line("axis", x.Map(0), 12, x.Map(0), Bottom);
            }

            foreach (var (_, style, values) in series)
            {
                canvas.Line("mean " + style, x.Map(values.Average()), 12, x.Map(values.Average()), Bottom);
            }
        }
    }

    static string Describe(string name, double[] values) =>
        $"{name}: mean {NumberFormat.Signed(values.Average())}, n = {NumberFormat.Count(values.Length)}";

    static int[] Count(double[] values, PlotScale scale)
    {
        var counts = new int[Bins];
        foreach (var value in values)
        {
            var share = (value - scale.Min) / (scale.Max - scale.Min);
            var bin = Math.Clamp((int)(share * Bins), 0, Bins - 1);
            counts[bin]++;
        }

        return counts;
    }

    static void WriteBars(PlotCanvas canvas, PlotScale x, PlotScale y, string name, string style, int[] counts)
    {
        var width = (x.Max - x.Min) / Bins;
        for (var bin = 0; bin < Bins; bin++)
        {
            if (counts[bin] == 0)
            {
                continue;
            }

            var low = x.Min + (bin * width);
            var high = x.Min + ((bin + 1) * width);
            var range = $"from {NumberFormat.Signed(low)} to {NumberFormat.Signed(high)}";
            canvas.Box(
                "bin " + style,
                (x.Map(low) + 0.5, y.Map(0)),
                (x.Map(high) - 0.5, y.Map(counts[bin])),
                $"{name}: {NumberFormat.Count(counts[bin])} {range}"
            );
        }
    }
}
