namespace CoPe.Experiments.Report.Plots;

/// <summary>
/// A bar as wide as its place, divided by shares, that repeats in color what stands beside it in words. Widths are
/// attributes: the page's policy allows no style but its own.
/// </summary>
static class ShareBar
{
    const double Width = 100;
    const double Gap = 0.6;
    const double LeastShare = 0.5;

    /// <summary>Writes the bar; the colors are those of the styles.</summary>
    /// <param name="markup">Where to.</param>
    /// <param name="style">Class of the bar.</param>
    /// <param name="parts">Class of each part, and its share of the whole: percent, together at most 100.</param>
    public static void Write(Markup markup, string style, params IReadOnlyList<(string Style, double Share)> parts)
    {
        using var bar = markup.Open(
            "svg",
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("class", style),
            ("viewBox", $"0 0 {NumberFormat.Css(Width)} 1"),
            ("preserveAspectRatio", "none"),
            ("aria-hidden", "true")
        );
        var x = 0.0;
        foreach (var (index, (part, share)) in parts.Index())
        {
            var gap = index < parts.Count - 1 ? Gap : 0;
            var width = Math.Max(share - gap, LeastShare);
            markup.Void(
                "rect",
                ("class", part),
                ("x", NumberFormat.Css(x)),
                ("width", NumberFormat.Css(width)),
                ("height", "1")
            );
            x += share;
        }
    }
}
