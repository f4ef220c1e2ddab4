using System.Globalization;
using System.Text;
using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Report.Plots;

/// <summary>
/// A metric over the values of a key, at even distances whatever they are: a line a method, with its standard error,
/// and a mark at the chosen value.
/// </summary>
static class SweepPlot
{
    const double Height = 220;
    const double Bottom = 180;
    const double Shift = 5;

    /// <summary>The series that are drawn, each with its index among all, which decides its color.</summary>
    public static IReadOnlyList<(SweepSeries Series, int Index)> Drawn(SweepKey key, SweepPanel panel) =>
        [
            .. panel
                .Series.Select((series, index) => (series, index))
                .Where(one => !key.UnaffectedMethods.Contains(one.series.Method)),
        ];

    /// <summary>Draws the series that have a value.</summary>
    public static void Write(Markup markup, SweepKey key, SweepPanel panel)
    {
        var drawn = Drawn(key, panel);
        var cells = drawn.SelectMany(one => one.Series.Cells).OfType<MeanWithError>().ToList();
        if (cells.Count == 0)
        {
            return;
        }

        var y = PlotScale.Round(
            cells.Min(cell => cell.Mean - cell.StandardError),
            cells.Max(cell => cell.Mean + cell.StandardError),
            Bottom - 4,
            10
        );
        var left = PlotCanvas.LabelWidth(y);
        var canvas = new PlotCanvas(markup);
        double X(int value) => left + ((PlotCanvas.Width - 8 - left) * (value + 0.5) / key.Values.Count);
        using (
            canvas.Open(
                Height,
                $"{panel.Metric.Name} by {key.Key}",
                string.Join("; ", drawn.Select(one => Describe(key, one.Series)))
            )
        )
        {
            canvas.VerticalAxis(y, left, PlotCanvas.Width);
            canvas.Line("axis", left, Bottom, PlotCanvas.Width, Bottom);
            canvas.Line("baseline", X(key.Chosen), 4, X(key.Chosen), Bottom);
            for (var value = 0; value < key.Values.Count; value++)
            {
                canvas.Label(
                    "tick middle",
                    X(value),
                    Bottom + 17,
                    MarkupText.Shorten(key.Values[value], 60 / key.Values.Count + 4)
                );
            }

            canvas.Label("caption middle", (left + PlotCanvas.Width) / 2, Bottom + 34, key.Key);
            for (var i = 0; i < drawn.Count; i++)
            {
                // Side by side, so that their standard errors do not hide each other.
                var shift = (i - ((drawn.Count - 1) / 2.0)) * Shift;
                var style = PlotCanvas.SeriesStyle(drawn[i].Index);
                WriteSeries(canvas, key, drawn[i].Series, style, value => (X(value) + shift, y));
            }
        }
    }

    static void WriteSeries(
        PlotCanvas canvas,
        SweepKey key,
        SweepSeries series,
        string color,
        Func<int, (double X, PlotScale Y)> locate
    )
    {
        var path = new StringBuilder();
        for (var value = 0; value < series.Cells.Count; value++)
        {
            if (series.Cells[value] is not { } cell)
            {
                continue;
            }

            var (x, y) = locate(value);
            PlotCanvas.AppendPoint(path, x, y.Map(cell.Mean));
            var error = new StringBuilder();
            PlotCanvas.AppendPoint(error, x, y.Map(cell.Mean - cell.StandardError));
            PlotCanvas.AppendPoint(error, x, y.Map(cell.Mean + cell.StandardError));
            canvas.Path("line raw " + color, error.ToString());
            canvas.Dot(
                "dot " + color,
                x,
                y.Map(cell.Mean),
                4,
                $"{series.Method} at {key.Values[value]}: {Format(cell)}"
            );
        }

        canvas.Path("line " + color, path.ToString());
    }

    static string Describe(SweepKey key, SweepSeries series)
    {
        var values = key.Values.Zip(
            series.Cells,
            (value, cell) => cell is null ? $"{value} none" : $"{value} {Format(cell)}"
        );
        return $"{series.Method}: {string.Join(", ", values)}";
    }

    static string Format(MeanWithError cell) => $"{Format(cell.Mean)} ± {Format(cell.StandardError)}";

    static string Format(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);
}
