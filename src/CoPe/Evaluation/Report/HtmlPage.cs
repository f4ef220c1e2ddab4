namespace CoPe.Evaluation.Report;

/// <summary>The frame of a page that needs nothing else: head, style and script.</summary>
internal static class HtmlPage
{
    /// <summary>Writes the page around a body.</summary>
    public static void Write(TextWriter writer, string title, Action<Markup> body)
    {
        var markup = new Markup(writer);
        writer.Write("<!DOCTYPE html>\n");
        using (markup.Open("html", ("lang", "en"), ("xmlns", "http://www.w3.org/1999/xhtml")))
        {
            WriteHead(markup, title);
            using (markup.Open("body"))
            {
                body(markup);
                markup.Embedded("script", ReportAsset.Read("report.js"));
            }
        }
        writer.Write('\n');
    }

    private static void WriteHead(Markup markup, string title)
    {
        using (markup.Open("head"))
        {
            markup.Void("meta", ("charset", "utf-8"));
            markup.Void("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
            markup.Void("meta", ("name", "color-scheme"), ("content", "light dark"));
            markup.Element("title", title).Line();
            markup.Embedded("style", ReportAsset.Read("report.css"));
        }
        markup.Line();
    }
}
