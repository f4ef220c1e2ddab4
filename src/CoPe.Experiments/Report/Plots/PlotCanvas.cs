using System.Globalization;
using System.Text;

namespace CoPe.Experiments.Report.Plots;

/// <summary>
/// An SVG drawing in the page. Colors come from the page's style by class, so one drawing serves the light and the
/// dark page;
/// title, description and hover titles make it readable without seeing it.
/// </summary>
sealed class PlotCanvas(Markup markup)
{
    /// <summary>Width of every drawing in its own units; the page scales it.</summary>
    public const double Width = 400;

    /// <summary>Class that colors one of several series.</summary>
    public static string SeriesStyle(int series) => string.Create(CultureInfo.InvariantCulture, $"s{series % 6}");

    /// <summary>Adds a point to a path in SVG's own notation: it starts there or draws a line to it.</summary>
    public static void AppendPoint(StringBuilder path, double x, double y) =>
        path.Append(path.Length == 0 ? 'M' : 'L').Append(NumberFormat.Css(x)).Append(' ').Append(NumberFormat.Css(y));

    /// <summary>Room left of a plot for the labels of its vertical axis.</summary>
    public static double LabelWidth(PlotScale scale, int ticks = 4) =>
        Math.Max(44, 12 + (7.6 * scale.Ticks(ticks).Max(tick => tick.Label.Length)));

    /// <summary>Opens a drawing with its name and its description in words; disposing the result closes it.</summary>
    public MarkupElement Open(double height, string title, string description)
    {
        var (titleId, descriptionId) = (markup.NewId("t"), markup.NewId("d"));
        var element = markup.Open(
            "svg",
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("viewBox", $"0 0 {NumberFormat.Css(Width)} {NumberFormat.Css(height)}"),
            ("role", "img"),
            ("aria-labelledby", $"{titleId} {descriptionId}")
        );
        markup.Element("title", title, ("id", titleId));
        markup.Element("desc", description, ("id", descriptionId));
        return element;
    }

    /// <summary>A straight line.</summary>
    public void Line(string style, double x1, double y1, double x2, double y2) =>
        markup.Void(
            "line",
            ("class", style),
            ("x1", NumberFormat.Css(x1)),
            ("y1", NumberFormat.Css(y1)),
            ("x2", NumberFormat.Css(x2)),
            ("y2", NumberFormat.Css(y2))
        );

    /// <summary>A rectangle between two corners in any order, with a hover title where one is given.</summary>
    public void Box(string style, (double X, double Y) corner, (double X, double Y) opposite, string? hover = null) =>
        Shape(
            "rect",
            hover,
            ("class", style),
            ("x", NumberFormat.Css(Math.Min(corner.X, opposite.X))),
            ("y", NumberFormat.Css(Math.Min(corner.Y, opposite.Y))),
            ("width", NumberFormat.Css(Math.Abs(opposite.X - corner.X))),
            ("height", NumberFormat.Css(Math.Abs(opposite.Y - corner.Y)))
        );

    /// <summary>A dot, with a hover title where one is given.</summary>
    public void Dot(string style, double x, double y, double radius, string? hover = null) =>
        Shape(
            "circle",
            hover,
            ("class", style),
            ("cx", NumberFormat.Css(x)),
            ("cy", NumberFormat.Css(y)),
            ("r", NumberFormat.Css(radius))
        );

    /// <summary>A path in SVG's own notation.</summary>
    public void Path(string style, string path) => markup.Void("path", ("class", style), ("d", path));

    /// <summary>A text; the class says its size, color and anchor.</summary>
    public void Label(string style, double x, double y, string text) =>
        markup.Element("text", text, ("class", style), ("x", NumberFormat.Css(x)), ("y", NumberFormat.Css(y)));

    /// <summary>Horizontal grid lines with labels left of them.</summary>
    public void VerticalAxis(PlotScale scale, double left, double right, int ticks = 4)
    {
        foreach (var (value, label) in scale.Ticks(ticks))
        {
            var y = scale.Map(value);
            Line("grid", left, y, right, y);
            Label("tick end", left - 6, y + 4, label);
        }
    }

    /// <summary>A base line with ticks and labels below it, and what it measures.</summary>
    public void HorizontalAxis(PlotScale scale, double y, string caption, int ticks = 5)
    {
        Line("axis", scale.From, y, scale.To, y);
        foreach (var (value, label) in scale.Ticks(ticks))
        {
            Line("axis", scale.Map(value), y, scale.Map(value), y + 4);
            Label("tick middle", scale.Map(value), y + 17, label);
        }
        if (caption.Length > 0)
        {
            Label("caption middle", (scale.From + scale.To) / 2, y + 34, caption);
        }
    }

    void Shape(string tag, string? hover, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        if (hover is null)
        {
            markup.Void(tag, attributes);
            return;
        }

        using (markup.Open(tag, attributes))
        {
            markup.Element("title", hover);
        }
    }
}

/// <summary>Maps values to coordinates of a drawing, linearly or by logarithm.</summary>
sealed record PlotScale
{
    /// <summary>Smallest value.</summary>
    public required double Min { get; init; }

    /// <summary>Largest value, above <see cref="Min"/>.</summary>
    public required double Max { get; init; }

    /// <summary>Coordinate of <see cref="Min"/>.</summary>
    public required double From { get; init; }

    /// <summary>Coordinate of <see cref="Max"/>.</summary>
    public required double To { get; init; }

    /// <summary>True for a logarithmic scale; then <see cref="Min"/> is above 0.</summary>
    public bool Logarithmic { get; init; }

    /// <summary>A linear scale over the values, widened to round numbers; a single value gets room around it.</summary>
    public static PlotScale Round(double min, double max, double from, double to, int ticks = 4)
    {
        if (max <= min)
        {
            var room = min == 0 ? 1 : Math.Abs(min) * 0.1;
            (min, max) = (min - room, max + room);
        }
        var step = Step(max - min, ticks);
        return new PlotScale
        {
            Min = Math.Floor((min / step) + 1e-9) * step,
            Max = Math.Ceiling((max / step) - 1e-9) * step,
            From = from,
            To = to,
        };
    }

    /// <summary>The coordinate of a value.</summary>
    public double Map(double value) =>
        From + ((To - From) * (Position(value) - Position(Min)) / (Position(Max) - Position(Min)));

    /// <summary>True where only whole numbers are marked, as for steps and counts.</summary>
    public bool IntegersOnly { get; init; }

    /// <summary>Round values within the scale, with their labels.</summary>
    public IReadOnlyList<(double Value, string Label)> Ticks(int count = 4) =>
        Logarithmic ? LogarithmicTicks() : LinearTicks(count);

    double Position(double value) => Logarithmic ? Math.Log10(Math.Max(value, Min)) : value;

    static double Step(double range, int ticks)
    {
        var raw = range / ticks;
        var power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        var factor = (raw / power) switch
        {
            <= 1.0001 => 1,
            <= 2.0001 => 2,
            <= 2.5001 => 2.5,
            <= 5.0001 => 5,
            _ => 10,
        };
        return power * factor;
    }

    List<(double Value, string Label)> LinearTicks(int count)
    {
        var range = Max - Min;
        var step = Step(range, count);
        if (IntegersOnly)
        {
            step = Math.Ceiling(step);
        }

        var decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(step)) + 1, 0, 8);
        var format = range >= 1e6 || step < 1e-6 ? "0.##e0" : "#,0." + new string('#', decimals);
        var ticks = new List<(double, string)>();
        for (var index = Math.Ceiling((Min / step) - 1e-9); index * step <= Max + (step * 1e-9); index++)
        {
            var value = index * step;
            var label = (value + 0.0).ToString(format, CultureInfo.InvariantCulture); // + 0.0 makes -0 positive
            ticks.Add((value, NumberFormat.Minus(label)));
        }

        return ticks;
    }

    List<(double Value, string Label)> LogarithmicTicks()
    {
        double[] factors = Max / Min > 1000 ? [1] : [1, 2, 5];
        var ticks = new List<(double, string)>();
        for (var power = Math.Pow(10, Math.Floor(Math.Log10(Min))); power <= Max; power *= 10)
        {
            foreach (var value in factors.Select(factor => factor * power))
            {
                if (value >= Min * 0.999 && value <= Max * 1.001)
                {
                    ticks.Add((value, value.ToString("#,0.##", CultureInfo.InvariantCulture)));
                }
            }
        }

        return ticks;
    }
}

/// <summary>Fewer items where a drawing cannot show them all.</summary>
static class PlotSample
{
    /// <summary>
    /// At most <paramref name="limit"/> items, evenly by position, the first and the last among them.
    /// </summary>
    public static IReadOnlyList<T> TakeEvenly<T>(IReadOnlyList<T> items, int limit) =>
        items.Count <= limit
            ? items
            : [.. Enumerable.Range(0, limit).Select(index => items[Position(index, items.Count, limit)])];

    static int Position(int index, int count, int limit) => (int)((long)index * (count - 1) / (limit - 1));
}
