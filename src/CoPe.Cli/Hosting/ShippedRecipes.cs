using CoPe.Experiments.Settings;

namespace CoPe.Cli.Hosting;

/// <summary>A recipe that comes with the program.</summary>
/// <param name="Name">Its name, which is that of its file.</param>
/// <param name="Summary">Its first comment line.</param>
sealed record ShippedRecipe(string Name, string Summary);

/// <summary>Recipes that come with the program.</summary>
static class ShippedRecipes
{
    /// <summary>All of them, by name.</summary>
    public static IReadOnlyList<ShippedRecipe> List(CommandHost host) =>
        [
            .. host
                .SearchFolders.Select(root => Path.Combine(root, "recipes"))
                .Where(Directory.Exists)
                .SelectMany(folder => Directory.EnumerateFiles(folder, "*.yaml"))
                .DistinctBy(Path.GetFileName)
                .OrderBy(Path.GetFileName, StringComparer.Ordinal)
                .Select(path => new ShippedRecipe(Path.GetFileNameWithoutExtension(path), ReadSummary(path))),
        ];

    /// <summary>The file of a recipe given by path, or by bare name where it is shipped.</summary>
    /// <exception cref="SettingsException">There is none.</exception>
    public static string Find(CommandHost host, string recipe)
    {
        string[] names = [recipe, Path.Combine("recipes", recipe), Path.Combine("recipes", recipe + ".yaml")];
        var candidates = names.SelectMany(name => host.SearchFolders.Select(root => Path.Combine(root, name)));
        if (candidates.FirstOrDefault(File.Exists) is { } file)
        {
            return file;
        }

        if (host.SearchFolders.Any(root => Directory.Exists(Path.Combine(root, recipe))))
        {
            throw new SettingsException(
                $"recipe {recipe} is a folder: name a file or a shipped recipe, and the folder of a run with --run"
            );
        }

        var shipped = List(host).Select(known => known.Name);
        var hint = NearestName.Hint(Path.GetFileNameWithoutExtension(recipe), shipped);
        throw new SettingsException($"recipe {recipe} does not exist{hint}; 'cope recipes ls' lists the shipped ones");
    }

    static string ReadSummary(string path)
    {
        var first = File.ReadLines(path).FirstOrDefault("");
        return first.StartsWith('#') ? first.TrimStart('#', ' ') : "";
    }
}
