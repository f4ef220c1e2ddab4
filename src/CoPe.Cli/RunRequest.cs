using CoPe.Runs;
using CoPe.Runs.Recipes;

namespace CoPe.Cli;

/// <summary>Which recipe is to be run where, and how much is to be said meanwhile.</summary>
sealed record RunRequest
{
    public string? Recipe { get; init; }

    public string? Run { get; init; }

    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Work made from another recipe or data gives way, however long it took.</summary>
    public bool Restarts { get; init; }

    public bool IsQuiet { get; init; }

    public bool IsJson { get; init; }

    public bool IsVerbose { get; init; }

    /// <summary>The recipe file, and the run's folder.</summary>
    public (string RecipeFile, RunDirectory Run) Locate(CommandHost host)
    {
        if (Recipe is null)
        {
            var run = Folder(host, Run ?? throw new UsageException("name a recipe, or the folder of a run with --run; 'cope recipes ls' lists the shipped recipes"));
            return File.Exists(run.Recipe) ? (run.Recipe, run) : throw new UsageException($"{run.Name} holds no recipe.yaml yet: name a recipe as well, for example 'cope run demo --run {run.Name}'");
        }

        var file = ShippedRecipes.Find(host, Recipe);
        return (file, Folder(host, Run ?? Path.Combine("runs", Path.GetFileNameWithoutExtension(file))));
    }

    static RunDirectory Folder(CommandHost host, string path) => new(Path.Combine(host.Roots[0], path), path);
}
