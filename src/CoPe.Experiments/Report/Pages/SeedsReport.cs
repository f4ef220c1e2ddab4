using CoPe.Experiments.Report.Sections;

namespace CoPe.Experiments.Report.Pages;

/// <summary>
/// The page of a recipe that was run with several seeds: table, bars and tests of their average, and how far each seed
/// lies from it.
/// </summary>
static class SeedsReport
{
    static readonly ReportSection[] Comparisons = [new SignificanceSection(), new UsersSection()];

    /// <summary>Writes the page. The same model gives the same bytes on every system; every text is escaped.</summary>
    public static void Write(SeedsModel model, TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(writer);
        HtmlPage.Write(
            writer,
            $"{model.Average.Title} · {NumberFormat.Count(model.Seeds.Count, "seed")}",
            markup =>
            {
                PageHeader.Write(markup, model.Average);
                using (markup.Open("main"))
                {
                    new ResultsSection().Write(markup, model.Average);
                    SeedsSection.Write(markup, model);
                    foreach (var section in Comparisons.Where(section => section.HasData(model.Average)))
                    {
                        section.Write(markup, model.Average);
                    }

                    new RecordSection().Write(markup, model.Average);
                }
            }
        );
    }
}
