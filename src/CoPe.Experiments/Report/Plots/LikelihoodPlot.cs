namespace CoPe.Experiments.Report.Plots;

/// <summary>
/// A dot with its standard error per adapter; the scale need not start at 0, as a dot has no length to mislead.
/// </summary>
static class LikelihoodPlot
{
    const double RowHeight = 30;

    /// <summary>Draws the adapters whose likelihood is finite; at least one.</summary>
    public static void Write(Markup markup, IReadOnlyList<GoldLikelihood> rows)
    {
        var canvas = new PlotCanvas(markup);
        var bottom = 4 + (rows.Count * RowHeight);
        var left = 18 + (8.6 * Math.Min(14, rows.Max(row => row.Adapter.Length)));
        var scale = PlotScale.Round(
            rows.Min(row => row.NegativeLogLikelihood - Error(row)),
            rows.Max(row => row.NegativeLogLikelihood + Error(row)),
            left,
            PlotCanvas.Width - 64
        );
        using (
            canvas.Open(
                bottom + 40,
                "Negative log-likelihood per gold token by adapter",
                string.Join("; ", rows.Select(Describe))
            )
        )
        {
            foreach (var (value, _) in scale.Ticks())
            {
                canvas.Line("grid", scale.Map(value), 0, scale.Map(value), bottom);
            }

            canvas.HorizontalAxis(scale, bottom, "nats per token, lower is better", 4);
            for (var row = 0; row < rows.Count; row++)
            {
                WriteRow(canvas, scale, rows[row], 4 + (RowHeight * (row + 0.5)));
            }
        }
    }

    static double Error(GoldLikelihood row) => double.IsFinite(row.StandardError) ? row.StandardError : 0;

    static string Describe(GoldLikelihood row)
    {
        var mean = NumberFormat.Value(row.NegativeLogLikelihood);
        var error = NumberFormat.Value(row.StandardError);
        var perplexity = NumberFormat.Value(Math.Exp(row.NegativeLogLikelihood));
        return $"{row.Adapter}: {mean} ± {error} nats per token, perplexity {perplexity}, "
            + $"n = {NumberFormat.Count(row.Count)}";
    }

    static void WriteRow(PlotCanvas canvas, PlotScale scale, GoldLikelihood row, double y)
    {
        var value = row.NegativeLogLikelihood;
        canvas.Label("name end", scale.From - 8, y + 4, MarkupText.Shorten(row.Adapter, 14));
        if (Error(row) > 0)
        {
            canvas.Line("interval", scale.Map(value - Error(row)), y, scale.Map(value + Error(row)), y);
            canvas.Line("error", scale.Map(value - Error(row)), y - 4, scale.Map(value - Error(row)), y + 4);
            canvas.Line("error", scale.Map(value + Error(row)), y - 4, scale.Map(value + Error(row)), y + 4);
        }

        canvas.Dot("dot s0", scale.Map(value), y, 5.5, Describe(row));
        canvas.Label("value end", PlotCanvas.Width - 2, y + 4, NumberFormat.Value(value));
    }
}
