using CoPe.Cli.Failures;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Hosting;

/// <summary>Which recipe runs where, and how much is shown meanwhile.</summary>
sealed record RunRequest
{
    /// <summary>Recipe file or name; null takes that of the run. Where both are there, this one counts.</summary>
    public string? Recipe { get; init; }

    /// <summary>Name of the recipe of a verb that has its own, taken where the run has none yet.</summary>
    public string? DefaultRecipe { get; init; }

    /// <summary>Folder of the run; null takes the recipe's name in <c>runs/</c>.</summary>
    public string? Run { get; init; }

    /// <summary>Keys of the recipe, each as <c>key=value</c>.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Stages built from another recipe or data are rebuilt, however long they took.</summary>
    public bool AllowCostlyRebuild { get; init; }

    public bool IsQuiet { get; init; }

    public bool IsJson { get; init; }

    public bool IsVerbose { get; init; }

    /// <summary>Whether the run is there already, and gives what the command line does not.</summary>
    public bool HoldsRecipe(CommandHost host) => Run is not null && File.Exists(RunAt(host, Run).Recipe);

    /// <summary>The recipe file, and the run's folder.</summary>
    /// <exception cref="UsageException">Neither is given, or the run has no recipe.</exception>
    public (string RecipeFile, RunDirectory Run) Locate(CommandHost host)
    {
        if (Recipe is null && Run is not null && RunAt(host, Run) is var run && File.Exists(run.Recipe))
        {
            return (run.Recipe, run);
        }

        if ((Recipe ?? DefaultRecipe) is { } recipe)
        {
            var file = ShippedRecipes.Find(host, recipe);
            return (file, RunAt(host, Run ?? RunFolders.NameFor(file)));
        }

        throw Run is null
            ? new UsageException(
                "name a recipe, or the folder of a run with --run; 'cope recipes ls' lists the shipped recipes"
            )
            : new UsageException(RunFolders.DescribeMissing(host, Run));
    }

    /// <summary>The run's folder, whether or not it holds anything; null where none is named.</summary>
    public RunDirectory? FindFolder(CommandHost host)
    {
        var recipe = Recipe ?? DefaultRecipe;
        var name = Run ?? (recipe is null ? null : RunFolders.NameFor(recipe));
        return name is null ? null : RunAt(host, name);
    }

    static RunDirectory RunAt(CommandHost host, string path) => new(host.PathOf(path), path);
}
