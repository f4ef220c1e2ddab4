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

    /// <summary>Class of a series' colour.</summary>
    public static string Style(int series) => string.Create(CultureInfo.InvariantCulture, $"s{series % 6}");

    /// <summary>The series that are drawn, each with its place among all, which is its colour.</summary>
    public static IReadOnlyList<(SweepSeries Series, int Index)> Drawn(SweepKey key, SweepPanel panel) =>
        [
            .. panel
                .Series.Select((series, index) => (series, index))
                .Where(one => !key.UnaffectedMethods.Contains(one.series.Method)),
        ];

    /// <summary>Draws the series that have a figure.</summary>
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
            for (var place = 0; place < drawn.Count; place++)
            {
                WriteSeries(
                    canvas,
                    key,
                    drawn[place].Series,
                    Style(drawn[place].Index),
                    value => (X(value) + ((place - ((drawn.Count - 1) / 2.0)) * Shift), y)
                );
            }
        }
    }

    static void WriteSeries(
        PlotCanvas canvas,
        SweepKey key,
        SweepSeries series,
        string colour,
        Func<int, (double X, PlotScale Y)> place
    )
    {
        var path = new StringBuilder();
        for (var value = 0; value < series.Cells.Count; value++)
        {
            if (series.Cells[value] is not { } cell)
            {
                continue;
            }

            var (x, y) = place(value);
            path.Append(path.Length == 0 ? 'M' : 'L')
                .Append(NumberFormat.Css(x))
                .Append(' ')
                .Append(NumberFormat.Css(y.Map(cell.Mean)));
            canvas.Path(
                "line raw " + colour,
                $"M{NumberFormat.Css(x)} {NumberFormat.Css(y.Map(cell.Mean - cell.StandardError))}L{NumberFormat.Css(x)} {NumberFormat.Css(y.Map(cell.Mean + cell.StandardError))}"
            );
            canvas.Dot(
                "dot " + colour,
                x,
                y.Map(cell.Mean),
                4,
                $"{series.Method} at {key.Values[value]}: {Text(cell)}"
            );
        }
        canvas.Path("line " + colour, path.ToString());
    }

    static string Describe(SweepKey key, SweepSeries series) =>
        $"{series.Method}: {string.Join(", ", series.Cells.Select((cell, value) => cell is null ? $"{key.Values[value]} none" : $"{key.Values[value]} {Text(cell)}"))}";

    static string Text(MeanWithError cell) =>
        $"{cell.Mean.ToString("0.0000", CultureInfo.InvariantCulture)} ± {cell.StandardError.ToString("0.0000", CultureInfo.InvariantCulture)}";
}
