using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Results;

/// <summary>Several seeds of one recipe as JSON, CSV and a page.</summary>
public static class SeedFiles
{
    /// <summary>Writes all three into the folder that holds the seeds.</summary>
    /// <param name="run">The folder.</param>
    /// <param name="recipe">The recipe of the first seed.</param>
    /// <param name="average">The seeds as one.</param>
    /// <param name="seeds">Each seed with what it came to.</param>
    public static void Write(
        RunDirectory run,
        Recipe recipe,
        RunResults average,
        IReadOnlyList<(long Seed, RunResults Figures)> seeds
    )
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(average);
        ResultsFile.WriteJson(average.Report, run.SeedResults, average.Seeds);
        ResultsFile.WriteCsv(average.Report, run.SeedResultsTable, average.Seeds);
        var model = new SeedsModel
        {
            Average = Model(run, recipe, average, seeds),
            Seeds = [.. seeds.Select(one => new SeedResults(one.Seed, ReportTables.CreateTable(one.Figures.Report)))],
        };
        AtomicFile.WriteText(run.SeedReport, writer => SeedsReport.Write(model, writer));
    }

    static ReportModel Model(
        RunDirectory run,
        Recipe recipe,
        RunResults average,
        IReadOnlyList<(long Seed, RunResults Figures)> seeds
    ) =>
        new()
        {
            Title = $"{average.Task.Name.Replace('_', ' ')} with {seeds.Count} seeds",
            RunName = Path.GetFileName(run.Root),
            RecipeYaml = recipe.ToYaml(),
            Facts =
            [
                .. seeds.Select(one => new ReportFact
                {
                    Group = "Seeds",
                    Name = $"seed {one.Seed}",
                    Value = one.Figures.Name,
                }),
            ],
            Results = ReportTables.CreateTable(average.Report, average.Seeds),
            Comparisons = ReportTables.CreateComparisons(average.Report),
            Significance = MethodTests.CreateRows(average.Report, recipe),
            UserScores = [.. ReportTables.CreateUserScores(average.Report)],
            HistoryLengths = average
                .Report.Methods[0]
                .Users.ToDictionary(user => user.UserId, user => user.HistoryItems),
        };
}
