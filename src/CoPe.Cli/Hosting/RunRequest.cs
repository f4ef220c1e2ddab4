using CoPe.Cli.Failures;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Hosting;

/// <summary>Which recipe runs where, and how much is shown meanwhile.</summary>
sealed record RunRequest
{
    /// <summary>Recipe file or name; null takes that of the run.</summary>
    public string? Recipe { get; init; }

    /// <summary>Folder of the run; null takes the recipe's name in <c>runs/</c>.</summary>
    public string? Run { get; init; }

    /// <summary>Keys of the recipe, each as <c>key=value</c>.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Stages built from another recipe or data are rebuilt, however long they took.</summary>
    public bool AllowCostlyRebuild { get; init; }

    public bool IsQuiet { get; init; }

    public bool IsJson { get; init; }

    public bool IsVerbose { get; init; }

    /// <summary>The recipe file, and the run's folder.</summary>
    /// <exception cref="UsageException">Neither is given, or the run has no recipe.</exception>
    public (string RecipeFile, RunDirectory Run) Locate(CommandHost host)
    {
        if (Recipe is not null)
        {
            var file = ShippedRecipes.Find(host, Recipe);
            return (file, RunAt(host, Run ?? Path.Combine("runs", Path.GetFileNameWithoutExtension(file))));
        }

        if (Run is null)
        {
            throw new UsageException(
                "name a recipe, or the folder of a run with --run; 'cope recipes ls' lists the shipped recipes"
            );
        }

        var run = RunAt(host, Run);
        return File.Exists(run.Recipe)
            ? (run.Recipe, run)
            : throw new UsageException(
                $"{run.Name} holds no recipe.yaml yet: "
                    + $"name a recipe as well, for example 'cope run demo --run {run.Name}'"
            );
    }

    /// <summary>The run's folder, whether or not it holds anything; null where none is named.</summary>
    public RunDirectory? FindFolder(CommandHost host)
    {
        var name = Run ?? (Recipe is null ? null : Path.Combine("runs", Path.GetFileNameWithoutExtension(Recipe)));
        return name is null ? null : RunAt(host, name);
    }

    static RunDirectory RunAt(CommandHost host, string path) => new(host.PathOf(path), path);
}
