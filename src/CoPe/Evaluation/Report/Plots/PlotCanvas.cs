namespace CoPe.Evaluation.Report.Plots;

/// <summary>
/// An SVG drawing in the page. Colours come from the page's style by class, so one drawing serves the light and the dark page;
/// title, description and hover titles make it readable without seeing it.
/// </summary>
internal sealed class PlotCanvas(Markup markup)
{
    /// <summary>Width of every drawing in its own units; the page scales it.</summary>
    public const double Width = 400;

    /// <summary>Room left of a plot for the labels of its vertical axis.</summary>
    public static double LeftOf(PlotScale scale, int ticks = 4) => Math.Max(44, 12 + (7.6 * scale.Ticks(ticks).Max(tick => tick.Label.Length)));

    /// <summary>Opens a drawing with its name and its description in words; disposing the result closes it.</summary>
    public MarkupElement Open(double height, string title, string description)
    {
        var (titleId, descriptionId) = (markup.NewId("t"), markup.NewId("d"));
        var element = markup.Open("svg", ("xmlns", "http://www.w3.org/2000/svg"), ("viewBox", $"0 0 {Figures.Css(Width)} {Figures.Css(height)}"),
            ("role", "img"), ("aria-labelledby", $"{titleId} {descriptionId}"));
        markup.Element("title", title, ("id", titleId));
        markup.Element("desc", description, ("id", descriptionId));
        return element;
    }

    /// <summary>A straight line.</summary>
    public void Line(string style, double x1, double y1, double x2, double y2) => markup.Void("line", ("class", style),
        ("x1", Figures.Css(x1)), ("y1", Figures.Css(y1)), ("x2", Figures.Css(x2)), ("y2", Figures.Css(y2)));

    /// <summary>A rectangle between two corners in any order, with a hover title where one is given.</summary>
    public void Box(string style, (double X, double Y) corner, (double X, double Y) opposite, string? hover = null) => Shape("rect", hover,
        ("class", style), ("x", Figures.Css(Math.Min(corner.X, opposite.X))), ("y", Figures.Css(Math.Min(corner.Y, opposite.Y))),
        ("width", Figures.Css(Math.Abs(opposite.X - corner.X))), ("height", Figures.Css(Math.Abs(opposite.Y - corner.Y))));

    /// <summary>A dot, with a hover title where one is given.</summary>
    public void Dot(string style, double x, double y, double radius, string? hover = null) => Shape("circle", hover,
        ("class", style), ("cx", Figures.Css(x)), ("cy", Figures.Css(y)), ("r", Figures.Css(radius)));

    /// <summary>A path in SVG's own notation.</summary>
    public void Path(string style, string path) => markup.Void("path", ("class", style), ("d", path));

    /// <summary>A text; the class says its size, colour and anchor.</summary>
    public void Label(string style, double x, double y, string text) =>
        markup.Element("text", text, ("class", style), ("x", Figures.Css(x)), ("y", Figures.Css(y)));

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
            Label("caption middle", (scale.From + scale.To) / 2, y + 34, caption);
    }

    private void Shape(string tag, string? hover, params ReadOnlySpan<(string Name, string Value)> attributes)
    {
        if (hover is null)
        {
            markup.Void(tag, attributes);
            return;
        }
        using (markup.Open(tag, attributes))
            markup.Element("title", hover);
    }
}
