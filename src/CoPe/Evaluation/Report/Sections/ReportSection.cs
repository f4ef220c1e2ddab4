namespace CoPe.Evaluation.Report.Sections;

/// <summary>A section of the page: its heading, how to read it, and its content, or a sentence where there is none.</summary>
internal abstract class ReportSection
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
    protected abstract string Absence { get; }

    /// <summary>The content.</summary>
    protected abstract void WriteContent(Markup markup, ReportModel model);

    /// <summary>Writes the section, or that it is missing.</summary>
    public void Write(Markup markup, ReportModel model)
    {
        using (markup.Open("section", ("id", Id), ("aria-labelledby", Id + "-h")))
        {
            markup.Element("h2", Title, ("id", Id + "-h"));
            var present = HasData(model);
            markup.Element("p", present ? Lead(model) : Absence, ("class", present ? "lead" : "absent"));
            if (present)
                WriteContent(markup, model);
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
                    markup.Text(" ").Element("span", addition);
            }
            draw();
        }
        markup.Line();
    }

    /// <summary>Names of several series in their colours.</summary>
    internal static void WriteLegend(Markup markup, IEnumerable<(string Name, string Style)> entries)
    {
        using (markup.Open("p", ("class", "legend")))
            foreach (var (name, style) in entries)
                using (markup.Open("span"))
                    markup.Element("i", "", ("class", "key " + style)).Text(name);
    }
}
