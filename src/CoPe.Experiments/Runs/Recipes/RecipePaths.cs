using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Recipes;

/// <summary>
/// The keys of a recipe that name a file or folder. In the recipe that a run keeps they hold from any folder: absolute,
/// from the run's folder where they lie within it, or a name that is none of a file (a shipped model or task, a model
/// of the hub).
/// </summary>
static class RecipePaths
{
    /// <summary>First line of a recipe that is kept in this way.</summary>
    public const string KeptHeader =
        "# The recipe of this run with every value written out; paths that begin with ./ are from this folder.";

    /// <summary>Whether a file is a recipe that a run keeps in this way.</summary>
    public static bool IsKept(string file) => File.Exists(file) && File.ReadLines(file).FirstOrDefault() == KeptHeader;

    /// <summary>A kept recipe with its paths from the run's folder made absolute; any other as it is.</summary>
    /// <param name="recipe">The recipe as it stands in the file.</param>
    /// <param name="file">The file.</param>
    public static Recipe ResolveKept(Recipe recipe, string file)
    {
        if (!IsKept(file))
        {
            return recipe;
        }

        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        if (Path.GetFileName(folder).StartsWith('.'))
        {
            folder = Path.GetDirectoryName(folder)!; // What is set aside in a run's folder means what it meant there.
        }

        return Map(
            recipe,
            (_, path) => IsFromRun(path) ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(path, folder)) : path
        );
    }

    /// <summary>The recipe with every path replaced; names of shipped tasks are none.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="map">The new path of a key and its path.</param>
    public static Recipe Map(Recipe recipe, Func<string, string, string> map)
    {
        foreach (var leaf in SettingsFile.FindLeaves(recipe, []))
        {
            if (leaf.Raw is string { Length: > 0 } path && NamesPath(leaf))
            {
                recipe = SettingsFile.Replace(recipe, leaf.Key, map(leaf.Key, path));
            }
        }

        return recipe;
    }

    /// <summary>A key that names a file or folder and is set to nothing, which would mean the current folder.</summary>
    public static string? FindEmpty(Recipe recipe) =>
        SettingsFile
            .FindLeaves(recipe, [])
            .FirstOrDefault(leaf => leaf.Raw is string path && string.IsNullOrWhiteSpace(path) && NamesPath(leaf))
            ?.Key;

    static bool NamesPath(SettingValue leaf)
    {
        var (property, value) = (leaf.Property.Property, (string)leaf.Raw!);
        if (property.DeclaringType == typeof(Recipe) && property.Name == nameof(Recipe.Task))
        {
            return TaskFile.IsPath(value);
        }

        return property.IsDefined(typeof(CountsByContentAttribute), inherit: true) && value != Recipe.NoAdapter;
    }

    static bool IsFromRun(string path) =>
        path is "." or ".."
        || path.StartsWith("./", StringComparison.Ordinal)
        || path.StartsWith("../", StringComparison.Ordinal);
}
