using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report.Sections;

namespace CoPe.Experiments.Report;

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

/// <summary>All the page of several seeds shows, as plain values.</summary>
sealed record SeedsModel
{
    /// <summary>
    /// The seeds as one: results averaged over them, with their deviation, tests and gains on the averages.
    /// </summary>
    public required ReportModel Average { get; init; }

    /// <summary>Each seed alone, in their order.</summary>
    public required IReadOnlyList<SeedResults> Seeds { get; init; }
}

/// <summary>The results of a recipe with one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Results">Its table, under the names of the table of all seeds.</param>
sealed record SeedResults(long Seed, ResultsTable Results);
