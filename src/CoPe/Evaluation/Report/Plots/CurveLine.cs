using System.Text;

namespace CoPe.Evaluation.Report.Plots;

/// <summary>The points of a training curve made ready to draw: smoothed, thinned, as paths.</summary>
internal static class CurveLine
{
    /// <summary>Points from which on a curve is smoothed; fewer are drawn as they are.</summary>
    public const int SmoothedFrom = 24;

    private const int MaxPoints = 600;

    /// <summary>Mean over a centred window of a twelfth of the curve; at both ends over the part of it that exists.</summary>
    public static IReadOnlyList<CurvePoint> Smooth(IReadOnlyList<CurvePoint> points)
    {
        if (points.Count < SmoothedFrom)
            return points;
        var reach = points.Count / 24;
        var smooth = new CurvePoint[points.Count];
        for (var index = 0; index < points.Count; index++)
        {
            var (first, last) = (Math.Max(0, index - reach), Math.Min(points.Count - 1, index + reach));
            var sum = 0.0;
            for (var near = first; near <= last; near++)
                sum += points[near].Value;
            smooth[index] = points[index] with { Value = sum / (last - first + 1) };
        }
        return smooth;
    }

    /// <summary>At most a few hundred points; of each stretch its lowest and its highest one, so that no spike is lost.</summary>
    public static IReadOnlyList<CurvePoint> Thin(IReadOnlyList<CurvePoint> points)
    {
        if (points.Count <= MaxPoints)
            return points;
        var size = (int)Math.Ceiling(points.Count / (MaxPoints / 2.0));
        return [.. points.Chunk(size).SelectMany(stretch =>
            new[] { stretch.MinBy(point => point.Value), stretch.MaxBy(point => point.Value) }.Distinct().OrderBy(point => point.Step))];
    }

    /// <summary>A path through the points.</summary>
    public static string Path(IReadOnlyList<CurvePoint> points, PlotScale x, PlotScale y)
    {
        var path = new StringBuilder();
        foreach (var point in points)
            path.Append(path.Length == 0 ? 'M' : 'L').Append(Figures.Css(x.Map(point.Step))).Append(' ').Append(Figures.Css(y.Map(point.Value)));
        return path.ToString();
    }
}
