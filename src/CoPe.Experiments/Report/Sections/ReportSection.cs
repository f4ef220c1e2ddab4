namespace CoPe.Experiments.Report.Sections;

/// <summary>
/// A section of the page: its heading, how to read it, and its content, or a sentence where there is none.
/// </summary>
abstract class ReportSection
{
    /// <summary>Anchor.</summary>
    public abstract string Id { get; }

    /// <summary>Heading, also in the navigation.</summary>
    public abstract string Title { get; }

    /// <summary>True where the model holds what the section shows.</summary>
    public abstract bool HasData(ReportModel model);

    /// <summary>How to read the section, in a sentence or two.</summary>
    protected abstract string Lead(ReportModel model);

    /// <summary>What is missing, as a sentence.</summary>
    protected abstract string EmptyMessage { get; }

    /// <summary>The content.</summary>
    protected abstract void WriteContent(Markup markup, ReportModel model);

    /// <summary>Writes the section, or that it is missing.</summary>
    public void Write(Markup markup, ReportModel model)
    {
        using (markup.Open("section", ("id", Id), ("aria-labelledby", Id + "-h")))
        {
            markup.Element("h2", Title, ("id", Id + "-h"));
            var present = HasData(model);
            markup.Element("p", present ? Lead(model) : EmptyMessage, ("class", present ? "lead" : "absent"));
            if (present)
            {
                WriteContent(markup, model);
            }
        }

        markup.Line();
    }

    /// <summary>A figure: a heading, an addition to it, the drawing.</summary>
    internal static void WriteFigure(Markup markup, string heading, string addition, Action draw)
    {
        using (markup.Open("figure"))
        {
            using (markup.Open("figcaption"))
            {
                markup.Element("strong", heading);
                if (addition.Length > 0)
                {
                    markup.Text(" ").Element("span", addition);
                }
            }
            draw();
        }

        markup.Line();
    }

    /// <summary>Names of several series in their colors.</summary>
    internal static void WriteLegend(Markup markup, IEnumerable<(string Name, string Style)> entries)
    {
        using (markup.Open("p", ("class", "legend")))
        {
            foreach (var (name, style) in entries)
            {
                using (markup.Open("span"))
                {
                    markup.Element("i", "", ("class", "key " + style)).Text(name);
                }
            }
        }
    }
}

/// <summary>The frame of a table that may be wider than the page: it scrolls by itself, also by keyboard.</summary>
static class WideTable
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
            {
                headings();
            }

            using (markup.Open("tbody"))
            {
                rows();
            }
        }

        markup.Line();
    }

    /// <summary>Writes the table under plain headings.</summary>
    public static void Write(Markup markup, string label, string style, IEnumerable<string> headings, Action rows) =>
        Write(
            markup,
            label,
            style,
            () =>
            {
                foreach (var heading in headings)
                {
                    markup.Element("th", heading, ("scope", "col"));
                }
            },
            rows
        );
}
