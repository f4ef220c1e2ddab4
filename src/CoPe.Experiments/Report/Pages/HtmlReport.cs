using CoPe.Experiments.Report.Sections;

namespace CoPe.Experiments.Report.Pages;

/// <summary>
/// The report of a run: one HTML file that needs nothing else, with SVG plots, for screens light and dark, large and
/// small, and for paper.
/// </summary>
static class HtmlReport
{
    static readonly ReportSection[] Sections =
    [
        new ResultsSection(),
        new SignificanceSection(),
        new UsersSection(),
        new PreferenceSection(),
        new TrainingSection(),
        new TokensSection(),
        new ExamplesSection(),
        new RecordSection(),
    ];

    /// <summary>
    /// Writes the page. The same model gives the same bytes on every system. Every text is escaped; a part of the model
    /// that is empty becomes a sentence that says so. The caller owns <paramref name="writer"/>, whose encoding should
    /// be UTF-8.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// A user has two scores of one method in one metric, or the headline metric is not in the table.
    /// </exception>
    public static void Write(ReportModel model, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(writer);
        HtmlPage.Write(
            writer,
            model.RunName.Length > 0 ? $"{model.Title} · {model.RunName}" : model.Title,
            markup =>
            {
                PageHeader.Write(markup, model);
                WriteNavigation(markup, model);
                using (markup.Open("main"))
                {
                    foreach (var section in Sections)
                    {
                        section.Write(markup, model);
                    }
                }
            }
        );
    }

    static void WriteNavigation(Markup markup, ReportModel model)
    {
        using (markup.Open("nav", ("aria-label", "Sections")))
        {
            foreach (var section in Sections.Where(section => section.HasData(model)))
            {
                markup.Element("a", section.Title, ("href", "#" + section.Id));
            }
        }

        markup.Line();
    }
}

/// <summary>The frame of a page that needs nothing else: head, style and, where it has one, script.</summary>
static class HtmlPage
{
    const string Style = "report.css";
    const string Script = "report.js";

    /// <summary>Writes the page around a body.</summary>
    public static void Write(TextWriter writer, string title, Action<Markup> body, bool hasScript = true)
    {
        var markup = new Markup(writer);
        writer.Write("<!DOCTYPE html>\n");
        using (markup.Open("html", ("lang", "en"), ("xmlns", "http://www.w3.org/1999/xhtml")))
        {
            WriteHead(markup, title, hasScript);
            using (markup.Open("body"))
            {
                body(markup);
                if (hasScript)
                {
                    markup.Embedded("script", ReportAsset.Read(Script));
                }
            }
        }
        writer.Write('\n');
    }

    static void WriteHead(Markup markup, string title, bool hasScript)
    {
        using (markup.Open("head"))
        {
            markup.Void("meta", ("charset", "utf-8"));
            markup.Void("meta", ("http-equiv", "Content-Security-Policy"), ("content", CreatePolicy(hasScript)));
            markup.Void("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
            markup.Void("meta", ("name", "color-scheme"), ("content", "light dark"));
            markup.Element("title", title).Line();
            markup.Embedded("style", ReportAsset.Read(Style));
        }

        markup.Line();
    }

    /// <summary>
    /// Nothing is loaded, sent or run but the page's own style and script, by their hash: a text that came past the
    /// escaping could do nothing.
    /// </summary>
    static string CreatePolicy(bool hasScript)
    {
        var script = hasScript ? $"script-src {HashSource(Script)}; " : "";
        return $"default-src 'none'; {script}style-src {HashSource(Style)}; base-uri 'none'; form-action 'none'";
    }

    static string HashSource(string asset)
    {
        var hash = Convert.FromHexString(StableHash.Sha256Hex(Markup.Embed(ReportAsset.Read(asset))));
        return $"'sha256-{Convert.ToBase64String(hash)}'";
    }
}

/// <summary>Style and script of the page, carried inside the library.</summary>
static class ReportAsset
{
    /// <summary>The text of an asset by its file name.</summary>
    /// <exception cref="InvalidOperationException">The library was built without it.</exception>
    public static string Read(string name)
    {
        using var stream =
            typeof(ReportAsset).Assembly.GetManifestResourceStream("report/" + name)
            ?? throw new InvalidOperationException(
                $"The report's asset '{name}' is not in the library; it must be an EmbeddedResource of CoPe.csproj."
            );
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
