using System.Globalization;
using System.Text;

namespace CoPe.Experiments.Report.Plots;

/// <summary>The curves of one stage and one quantity: each faint as measured and strong as smoothed.</summary>
static class CurvePlot
{
    const double Height = 220;
    const double Bottom = 180;
    const int MaxHoverStrips = 80;

    /// <summary>Draws curves that have at least one finite point each.</summary>
    public static void Write(Markup markup, IReadOnlyList<TrainingCurve> curves)
    {
        var lines = curves.Select(curve => (curve.Series, Raw: Finite(curve))).ToList();
        var values = lines.SelectMany(line => line.Raw).ToList();
        var y = PlotScale.Round(values.Min(point => point.Value), values.Max(point => point.Value), Bottom - 4, 10);
        var left = PlotCanvas.LabelWidth(y);
        var x = StepScale(values, left);
        var canvas = new PlotCanvas(markup);
        using (
            canvas.Open(
                Height,
                $"{curves[0].Stage}: {curves[0].Quantity}",
                string.Join("; ", lines.Select(line => Describe(line.Series, line.Raw)))
            )
        )
        {
            canvas.VerticalAxis(y, left, PlotCanvas.Width);
            canvas.HorizontalAxis(x, Bottom, "step");
            if (y.Min < 0 && y.Max > 0)
            {
                canvas.Line("axis", left, y.Map(0), PlotCanvas.Width, y.Map(0));
            }

            for (var index = 0; index < lines.Count; index++)
            {
                WriteLine(canvas, x, y, lines[index].Raw, PlotCanvas.SeriesStyle(index));
            }

            WriteHover(canvas, x, lines);
        }
    }

    /// <summary>The points of a curve that can be drawn.</summary>
    public static IReadOnlyList<CurvePoint> Finite(TrainingCurve curve) =>
        [
            .. curve
                .Points.Where(point => double.IsFinite(point.Step) && double.IsFinite(point.Value))
                .OrderBy(point => point.Step),
        ];

    static PlotScale StepScale(List<CurvePoint> points, double left)
    {
        var (min, max) = (points.Min(point => point.Step), points.Max(point => point.Step));
        return new PlotScale
        {
            Min = min,
            Max = max > min ? max : min + 1,
            From = left + 2,
            To = PlotCanvas.Width - 8,
            IntegersOnly = true,
        };
    }

    static string Describe(string series, IReadOnlyList<CurvePoint> points)
    {
        var smooth = CurveLine.Smooth(points);
        var name = series.Length > 0 ? series + " " : "";
        var first = NumberFormat.Value(smooth[0].Value);
        var last = NumberFormat.Value(smooth[^1].Value);
        return $"{name}from {first} to {last} in {NumberFormat.Count(points.Count, "point")}";
    }

    static void WriteLine(PlotCanvas canvas, PlotScale x, PlotScale y, IReadOnlyList<CurvePoint> raw, string color)
    {
        if (raw.Count == 1)
        {
            canvas.Dot("dot " + color, x.Map(raw[0].Step), y.Map(raw[0].Value), 4);
        }
        else if (raw.Count < CurveLine.SmoothedFrom)
        {
            canvas.Path("line " + color, CurveLine.Path(raw, x, y));
        }
        else
        {
            canvas.Path("line raw " + color, CurveLine.Path(CurveLine.Thin(raw), x, y));
            canvas.Path("line " + color, CurveLine.Path(CurveLine.Thin(CurveLine.Smooth(raw)), x, y));
        }
    }

    /// <summary>Invisible strips whose hover titles are the values under the pointer.</summary>
    static void WriteHover(PlotCanvas canvas, PlotScale x, List<(string Series, IReadOnlyList<CurvePoint> Raw)> lines)
    {
        var smooth = lines.Select(line => (line.Series, Points: CurveLine.Smooth(line.Raw))).ToList();
        var steps = PlotSample.TakeEvenly(
            [.. lines.SelectMany(line => line.Raw).Select(point => point.Step).Distinct().Order()],
            MaxHoverStrips
        );
        for (var index = 0; index < steps.Count; index++)
        {
            var step = steps[index];
            var left = index == 0 ? x.From : Middle(index - 1);
            var right = index == steps.Count - 1 ? PlotCanvas.Width : Middle(index);
            var values = smooth.Select(line =>
                $"{line.Series} {NumberFormat.Value(FindNearest(line.Points, step))}".Trim()
            );
            var label = step.ToString("#,0.##", CultureInfo.InvariantCulture);
            canvas.Box("hover", (left, 4), (right, Bottom), $"step {label}: {string.Join(", ", values)}");
        }

        double Middle(int index) => (x.Map(steps[index]) + x.Map(steps[index + 1])) / 2;
    }

    static double FindNearest(IReadOnlyList<CurvePoint> points, double step) =>
        points.MinBy(point => Math.Abs(point.Step - step)).Value;
}

/// <summary>The points of a training curve prepared for drawing: smoothed, thinned, as paths.</summary>
static class CurveLine
{
    /// <summary>Points from which on a curve is smoothed; fewer are drawn as they are.</summary>
    public const int SmoothedFrom = 24;

    const int MaxPoints = 600;

    /// <summary>
    /// Mean over a centered window of a twelfth of the curve; at both ends over the part of it that exists.
    /// </summary>
    public static IReadOnlyList<CurvePoint> Smooth(IReadOnlyList<CurvePoint> points)
    {
        if (points.Count < SmoothedFrom)
        {
            return points;
        }

        var reach = points.Count / 24;
        var smooth = new CurvePoint[points.Count];
        for (var index = 0; index < points.Count; index++)
        {
            var first = Math.Max(0, index - reach);
            var last = Math.Min(points.Count - 1, index + reach);
            var sum = 0.0;
            for (var near = first; near <= last; near++)
            {
                sum += points[near].Value;
            }

            smooth[index] = points[index] with { Value = sum / (last - first + 1) };
        }

        return smooth;
    }

    /// <summary>
    /// At most a few hundred points; of each chunk its lowest and its highest one, so that no spike is lost.
    /// </summary>
    public static IReadOnlyList<CurvePoint> Thin(IReadOnlyList<CurvePoint> points)
    {
        if (points.Count <= MaxPoints)
        {
            return points;
        }

        var size = (int)Math.Ceiling(points.Count / (MaxPoints / 2.0));
        return
        [
            .. points
                .Chunk(size)
                .SelectMany(chunk =>
                    new[] { chunk.MinBy(point => point.Value), chunk.MaxBy(point => point.Value) }
                        .Distinct()
                        .OrderBy(point => point.Step)
                ),
        ];
    }

    /// <summary>A path through the points.</summary>
    public static string Path(IReadOnlyList<CurvePoint> points, PlotScale x, PlotScale y)
    {
        var path = new StringBuilder();
        foreach (var point in points)
        {
            PlotCanvas.AppendPoint(path, x.Map(point.Step), y.Map(point.Value));
        }

        return path.ToString();
    }
}
