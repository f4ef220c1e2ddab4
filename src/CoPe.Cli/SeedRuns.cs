using CoPe.Runs;
using CoPe.Runs.Recipes;
using CoPe.Runs.Results;

namespace CoPe.Cli;

/// <summary>Runs one recipe with several seeds, each in a folder of its own within the run's, and averages them.</summary>
sealed class SeedRuns(CommandHost host, RunRequest request)
{
    /// <summary>Runs the recipe's seed and those that follow it. What is complete is kept.</summary>
    public (RunFigures Figures, RunDirectory Run) Work(int count)
    {
        var (file, run) = request.Locate(host);
        var recipe = Recipe.Read(file, request.Overrides);
        var figures = new List<(long Seed, RunFigures Figures)>();
        for (var i = 0; i < count; i++)
        {
            var one = run.OfSeed(recipe.Seed + i);
            if (!request.IsQuiet) host.Error.WriteLine($"cope: seed {recipe.Seed + i}, run {i + 1} of {count}, in {one.Name}");
            var seeded = request with { Recipe = file, Run = one.Name, Overrides = [.. request.Overrides, $"seed={recipe.Seed + i}"] };
            new RunSession(host, seeded).Work((pipeline, context) => pipeline.Run(context));
            figures.Add((recipe.Seed + i, RunFigures.Read(one, host.Roots, host.Cancellation)));
        }

        recipe.Keep(run);
        var average = RunFigures.Combine(run.Name, [.. figures.Select(one => one.Figures)]);
        SeedFiles.Write(run, recipe, average, figures);
        return (average, run);
    }
}
