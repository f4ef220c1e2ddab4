using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;
using CoPe.Experiments.Report.Pages;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Results;

/// <summary>Several seeds of one recipe as JSON, CSV and a page.</summary>
static class SeedFiles
{
    /// <summary>Writes all three into the folder that holds the seeds.</summary>
    /// <param name="run">The folder.</param>
    /// <param name="recipe">The recipe of the first seed.</param>
    /// <param name="average">The seeds as one.</param>
    /// <param name="seeds">Each seed with its results.</param>
    public static void Write(RunDirectory run, Recipe recipe, RunResults average, IReadOnlyList<SeedRun> seeds)
    {
        ResultsFile.WriteJson(average.Table, run.SeedResults);
        ResultsFile.WriteCsv(average.Table, run.SeedResultsTable);
        var model = new SeedsModel
        {
            Average = CreateModel(run, recipe, average, seeds),
            Seeds = [.. seeds.Select(one => new SeedResults(one.Seed, ReportTables.CreateTable(one.Results.Report)))],
        };
        AtomicFile.WriteText(run.SeedReport, writer => SeedsReport.Write(model, writer));
    }

    static ReportModel CreateModel(RunDirectory run, Recipe recipe, RunResults average, IReadOnlyList<SeedRun> seeds)
    {
        var tests = SignificanceFile.Compute(average.Report, MethodTests.CreateOptions(recipe));
        return new()
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
                    Value = one.Results.Name,
                }),
            ],
            Results = ReportTables.CreateTable(average.Report, average.Seeds),
            Comparisons = ReportTables.CreateComparisons(average.Report),
            Significance = ReportTables.SelectTests(average.Report, tests),
            UserScores = [.. ReportTables.CreateUserScores(average.Report)],
            HistoryLengths = average
                .Report.Methods[0]
                .Users.ToDictionary(user => user.UserId, user => user.HistoryItems),
        };
    }
}

/// <summary>One of several seeds of a recipe, with its results.</summary>
sealed record SeedRun(long Seed, RunResults Results);
