using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Report.Plots;

/// <summary>
/// One metric: a bar per method from 0 to the mean, with the standard error, and a dashed line at the baseline's mean.
/// </summary>
static class MethodBarsPlot
{
    const double RowHeight = 27;

    /// <summary>Draws the methods that have a finite mean.</summary>
    public static void Write(Markup markup, ReportModel model, MetricColumn metric)
    {
        var cells = model
            .Results.Methods.Select(method => model.Results.Find(method, metric.Name))
            .OfType<ResultCell>()
            .Where(cell => double.IsFinite(cell.Mean))
            .ToList();
        if (cells.Count == 0)
        {
            return;
        }

        var canvas = new PlotCanvas(markup);
        var bottom = 4 + (cells.Count * RowHeight);
        var left = 18 + (8.6 * Math.Min(14, cells.Max(cell => cell.Method.Length)));
        var (low, high) = (Math.Min(0, cells.Min(Low)), Math.Max(0, cells.Max(High)));
        var scale = PlotScale.Round(low, low == high ? 1 : high, left, PlotCanvas.Width - 58, 3);
        using (canvas.Open(bottom + 24, $"{metric.Name} by method", string.Join("; ", cells.Select(Describe))))
        {
            foreach (var (value, label) in scale.Ticks(3))
            {
                canvas.Line("grid", scale.Map(value), 0, scale.Map(value), bottom);
                canvas.Label("tick middle", scale.Map(value), bottom + 16, label);
            }

            for (var row = 0; row < cells.Count; row++)
            {
                WriteRow(canvas, scale, cells[row], 4 + (row * RowHeight), Style(model, cells[row].Method));
            }

            WriteBaseline(canvas, scale, model, metric, bottom);
            canvas.Line("axis", scale.Map(0), 0, scale.Map(0), bottom);
        }
    }

    static string Style(ReportModel model, string method) =>
        model.Comparisons.Count > 0 && model.Comparisons[0].Method == method ? "bar strong" : "bar";

    static double Error(ResultCell cell) => double.IsFinite(cell.StandardError) ? cell.StandardError : 0;

    static double Low(ResultCell cell) => cell.Mean - Error(cell);

    static double High(ResultCell cell) => cell.Mean + Error(cell);

    static string Describe(ResultCell cell)
    {
        var error = Error(cell) > 0 ? $" ± {NumberFormat.Value(cell.StandardError)}" : "";
        return $"{cell.Method}: {NumberFormat.Value(cell.Mean)}{error}, n = {NumberFormat.Count(cell.Count)}";
    }

    static void WriteRow(PlotCanvas canvas, PlotScale scale, ResultCell cell, double top, string style)
    {
        var middle = top + (RowHeight / 2);
        canvas.Label(
            style == "bar" ? "name end" : "name end strong",
            scale.From - 8,
            middle + 4,
            MarkupText.Shorten(cell.Method, 14)
        );
        canvas.Box(style, (scale.Map(0), top + 5), (scale.Map(cell.Mean), top + RowHeight - 5), Describe(cell));
        if (Error(cell) > 0)
        {
            canvas.Line("error", scale.Map(Low(cell)), middle, scale.Map(High(cell)), middle);
            canvas.Line("error", scale.Map(Low(cell)), middle - 4, scale.Map(Low(cell)), middle + 4);
            canvas.Line("error", scale.Map(High(cell)), middle - 4, scale.Map(High(cell)), middle + 4);
        }

        canvas.Label("value end", PlotCanvas.Width - 2, middle + 4, NumberFormat.Value(cell.Mean));
    }

    static void WriteBaseline(PlotCanvas canvas, PlotScale scale, ReportModel model, MetricColumn metric, double bottom)
    {
        if (model.Comparisons.Count == 0)
        {
            return;
        }

        var cell = model.Results.Find(model.Comparisons[0].Baseline, metric.Name);
        if (cell is not null && double.IsFinite(cell.Mean))
        {
            canvas.Line("baseline", scale.Map(cell.Mean), 0, scale.Map(cell.Mean), bottom);
        }
    }
}
