using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Settings;

namespace CoPe.Experiments.Runs;

/// <summary>
/// The recipe that a run keeps. What it names holds from any folder, and what lies within the run moves with it.
/// </summary>
static class RunRecipe
{
    const string Header = RecipePaths.KeptHeader + "\n# 'cope' rewrites it when a run is started with another one.\n";

    /// <summary>The first words of every version's header.</summary>
    const string AnyHeader = "# The recipe of this run ";

    /// <summary>Reads the recipe of a run, its paths absolute or names.</summary>
    /// <param name="run">The run.</param>
    /// <param name="overrides"><c>dotted.key=value</c>, whose paths stay as they are.</param>
    public static Recipe Read(RunDirectory run, IReadOnlyList<string>? overrides = null) =>
        RecipePaths.IsKept(run.Recipe)
            ? Recipe.Read(run.Recipe, overrides)
            : Recipe.Read(run.Recipe, overrides ?? [], new FormerPaths(run).Resolve);

    /// <summary>The model of the recipe of a run, whatever else is wrong with it.</summary>
    public static string ReadModel(RunDirectory run)
    {
        var recipe = SettingsFile.Read<Recipe>(run.Recipe, []);
        return RecipePaths.IsKept(run.Recipe)
            ? RecipePaths.ResolveKept(recipe, run.Recipe).Model
            : new FormerPaths(run).Resolve(recipe).Model;
    }

    /// <summary>Whether a recipe file is that of a run rather than one that a person wrote.</summary>
    public static bool IsOfRun(string file)
    {
        if (!File.Exists(file) || Path.GetFileName(file) != Path.GetFileName(new RunDirectory(".").Recipe))
        {
            return false;
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        return Directory.Exists(Path.Combine(folder, "stages"))
            || File.ReadLines(file).FirstOrDefault("").StartsWith(AnyHeader, StringComparison.Ordinal);
    }

    /// <summary>Writes the recipe into a run's folder, where another one or none is kept there.</summary>
    public static void Save(Recipe recipe, RunDirectory run)
    {
        var text = Header + RecipePaths.Map(recipe, (_, path) => Shorten(path, run)).ToYaml();
        if (!File.Exists(run.Recipe) || File.ReadAllText(run.Recipe) != text)
        {
            AtomicFile.WriteText(run.Recipe, text);
        }
    }

    /// <summary>
    /// A path within the run, or within the run that it is a child of, from the run's folder; any other as it is.
    /// </summary>
    static string Shorten(string path, RunDirectory run)
    {
        if (!Path.IsPathRooted(path))
        {
            return path;
        }

        if (FindWithin(path, run.Root) is { } inner)
        {
            return inner.Length == 0 ? "." : "./" + inner;
        }

        var parent = new RunDirectory(Path.GetDirectoryName(run.Root) ?? run.Root);
        return File.Exists(parent.Recipe) && FindWithin(path, parent.Root) is { Length: > 0 } beside
            ? "../" + beside
            : path;
    }

    /// <summary>The path from a folder to something within it, as it is written or as links lead; else null.</summary>
    static string? FindWithin(string path, string folder)
    {
        var pairs = new[] { (path, folder), (RealPath.Resolve(path), RealPath.Resolve(folder)) };
        foreach (var (inner, outer) in pairs)
        {
            var relative = Path.GetRelativePath(outer, inner).Replace('\\', '/');
            if (relative == ".")
            {
                return "";
            }

            if (
                !Path.IsPathRooted(relative)
                && relative != ".."
                && !relative.StartsWith("../", StringComparison.Ordinal)
            )
            {
                return relative;
            }
        }

        return null;
    }
}
