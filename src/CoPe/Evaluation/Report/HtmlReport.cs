using CoPe.Evaluation.Report.Sections;

namespace CoPe.Evaluation.Report;

/// <summary>The report of a run: one HTML file that needs nothing else, with SVG plots, for screens light and dark, large and small, and for paper.</summary>
public static class HtmlReport
{
    private static readonly ReportSection[] Sections =
    [
        new ResultsSection(), new SignificanceSection(), new UsersSection(), new PreferenceSection(), new TrainingSection(),
        new TokensSection(), new ExamplesSection(), new RecordSection(),
    ];

    /// <summary>
    /// Writes the page. The same model gives the same bytes on every system. Every text is escaped; a part of the model that is empty
    /// becomes a sentence that says so. The caller owns <paramref name="writer"/>, whose encoding should be UTF-8.
    /// </summary>
    /// <exception cref="ArgumentException">A user has two scores of one method in one metric, or the headline metric is not in the table.</exception>
    public static void Write(ReportModel model, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(writer);
        HtmlPage.Write(writer, model.RunName.Length > 0 ? $"{model.Title} · {model.RunName}" : model.Title, markup =>
        {
            PageHeader.Write(markup, model);
            WriteNavigation(markup, model);
            using (markup.Open("main"))
                foreach (var section in Sections)
                    section.Write(markup, model);
        });
    }

    private static void WriteNavigation(Markup markup, ReportModel model)
    {
        using (markup.Open("nav", ("aria-label", "Sections")))
            foreach (var section in Sections.Where(section => section.HasData(model)))
                markup.Element("a", section.Title, ("href", "#" + section.Id));
        markup.Line();
    }
}
