using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Cli.Sessions;

/// <summary>
/// A run and the recipe that a command asks for. Paths in the recipe are absolute or names that hold from any folder:
/// what was typed is looked up from the working folder, what the run remembers never is.
/// </summary>
/// <param name="Host">The environment of the command.</param>
/// <param name="Run">The run's folder.</param>
/// <param name="File">The file that the recipe was read from.</param>
/// <param name="Recipe">The recipe.</param>
sealed record ResolvedRun(CommandHost Host, RunDirectory Run, string File, Recipe Recipe)
{
    /// <summary>Reads the recipe of a request.</summary>
    /// <exception cref="RunException">A path that was typed leads nowhere.</exception>
    public static ResolvedRun Read(CommandHost host, RunRequest request)
    {
        var (file, run) = request.Locate(host);
        return new(host, run, file, ReadRecipe(host, run, file, request.Overrides));
    }

    /// <summary>Reads a recipe file, of a run or of a person, for a run.</summary>
    public static Recipe ReadRecipe(CommandHost host, RunDirectory run, string file, IReadOnlyList<string> overrides)
    {
        var isRemembered = file == run.Recipe || RunRecipe.IsOfRun(file);
        var recipe = isRemembered
            ? RunRecipe.Read(new(Path.GetDirectoryName(Path.GetFullPath(file))!), overrides)
            : Recipe.Read(file, overrides);
        bool IsTyped(string key) => !isRemembered || overrides.Any(pair => pair.Split('=')[0].Trim() == key);
        var paths = new TypedPaths(run, host.SearchFolders, IsTyped, model => ModelSource.Resolve(host, model));
        return paths.Resolve(recipe);
    }

    /// <summary>Where the recipe's files lie; a model of the hub is downloaded where it is missing.</summary>
    /// <param name="data">The data folder, where it is not that of the recipe yet.</param>
    /// <param name="isQuiet">Shows no progress of the download.</param>
    public InputPaths FindInputs(string data, bool isQuiet) => FindInputs(Recipe with { Data = data }, isQuiet);

    /// <summary>Where the recipe's files lie; nothing is downloaded.</summary>
    public InputPaths FindLocalInputs() => InputPaths.Find(Recipe, Host.ProgramFolders, FindLocalModel);

    /// <summary>Where those of the recipe's files lie that are there.</summary>
    public InputPaths FindAvailableInputs() => InputPaths.FindAvailable(Recipe, Host.ProgramFolders, FindLocalModel);

    InputPaths FindInputs(Recipe recipe, bool isQuiet) =>
        InputPaths.Find(
            recipe,
            Host.ProgramFolders,
            model => IsMissing(model) ? throw CreateModelMissing(model) : ModelSource.FindNamed(Host, model, isQuiet)
        );

    string FindLocalModel(string model) =>
        IsMissing(model) ? throw CreateModelMissing(model) : ModelSource.FindNamedLocal(Host, model);

    static bool IsMissing(string model) => Path.IsPathRooted(model) && !InputPaths.IsModel(model);

    RunException CreateModelMissing(string model) =>
        new(
            $"the model of {Run.Name} is not at {model}: say where it is now, "
                + $"'cope run --run {Run.Name} --model FOLDER' (the same model keeps every stage)"
        );
}
