namespace CoPe.Evaluation.Report.Sections;

/// <summary>The frame of a table that may be wider than the page: it scrolls by itself, also by keyboard.</summary>
internal static class WideTable
{
    /// <summary>Writes the table.</summary>
    /// <param name="markup">Where to.</param>
    /// <param name="label">What it shows, for those who do not see it.</param>
    /// <param name="style">Class of the table.</param>
    /// <param name="headings">Writes the cells of the head, each a <c>th</c>.</param>
    /// <param name="rows">Writes the rows of the body.</param>
    public static void Write(Markup markup, string label, string style, Action headings, Action rows)
    {
        using (markup.Open("div", ("class", "scroll"), ("tabindex", "0"), ("role", "group"), ("aria-label", label)))
        using (markup.Open("table", ("class", style)))
        {
            using (markup.Open("thead"))
            using (markup.Open("tr"))
                headings();
            using (markup.Open("tbody"))
                rows();
        }
        markup.Line();
    }

    /// <summary>Writes the table under plain headings.</summary>
    public static void Write(Markup markup, string label, string style, IEnumerable<string> headings, Action rows) => Write(markup, label, style, () =>
    {
        foreach (var heading in headings)
            markup.Element("th", heading, ("scope", "col"));
    }, rows);
}
