using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Report.Plots;

/// <summary>
/// One metric: a row per method with a dot for each seed's mean and a line at their average. The scale need not start
/// at 0, as a dot has no length to mislead.
/// </summary>
static class SeedDotsPlot
{
    const double RowHeight = 27;

    /// <summary>Draws the methods that have a finite mean.</summary>
    public static void Write(Markup markup, SeedsModel model, MetricColumn metric)
    {
        var rows = model
            .Average.Results.Methods.Select(method => (Method: method, Dots: Dots(model, method, metric)))
            .Where(row => row.Dots.Count > 0)
            .ToList();
        if (rows.Count == 0)
        {
            return;
        }

        var canvas = new PlotCanvas(markup);
        var bottom = 4 + (rows.Count * RowHeight);
        var left = 18 + (8.6 * Math.Min(14, rows.Max(row => row.Method.Length)));
        var means = rows.SelectMany(row => row.Dots).Select(dot => dot.Mean).ToList();
        var scale = PlotScale.Round(means.Min(), means.Max(), left, PlotCanvas.Width - 58, 3);
        using (
            canvas.Open(
                bottom + 24,
                $"{metric.Name} by method and seed",
                string.Join("; ", rows.Select(row => $"{row.Method}: {string.Join(", ", row.Dots.Select(Describe))}"))
            )
        )
        {
            foreach (var (value, label) in scale.Ticks(3))
            {
                canvas.Line("grid", scale.Map(value), 0, scale.Map(value), bottom);
                canvas.Label("tick middle", scale.Map(value), bottom + 16, label);
            }

            for (var row = 0; row < rows.Count; row++)
            {
                WriteRow(canvas, scale, rows[row].Method, rows[row].Dots, 4 + (RowHeight * (row + 0.5)));
            }
        }
    }

    static void WriteRow(
        PlotCanvas canvas,
        PlotScale scale,
        string method,
        List<(long Seed, double Mean)> dots,
        double y
    )
    {
        var average = dots.Average(dot => dot.Mean);
        canvas.Label("name end", scale.From - 8, y + 4, MarkupText.Shorten(method, 14));
        canvas.Line("error", scale.Map(average), y - 9, scale.Map(average), y + 9);
        foreach (var dot in dots)
        {
            canvas.Dot("dot s0", scale.Map(dot.Mean), y, 4.5, $"{method}, {Describe(dot)}");
        }

        canvas.Label("value end", PlotCanvas.Width - 2, y + 4, NumberFormat.Value(average));
    }

    static List<(long Seed, double Mean)> Dots(SeedsModel model, string method, MetricColumn metric) =>
        [
            .. model
                .Seeds.Select(seed => (seed.Seed, seed.Results.Find(method, metric.Name)?.Mean ?? double.NaN))
                .Where(dot => double.IsFinite(dot.Item2)),
        ];

    static string Describe((long Seed, double Mean) dot) => $"seed {dot.Seed}: {NumberFormat.Value(dot.Mean)}";
}
