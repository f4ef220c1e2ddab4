using CoPe.Experiments.Settings;

namespace CoPe.Cli;

/// <summary>Recipes that come with the program.</summary>
static class ShippedRecipes
{
    /// <summary>Names and first comment lines, in order.</summary>
    public static IReadOnlyList<(string Name, string Summary, string Path)> List(CommandHost host) =>
        [
            .. host
                .SearchFolders.Select(root => Path.Combine(root, "recipes"))
                .Where(Directory.Exists)
                .SelectMany(folder => Directory.EnumerateFiles(folder, "*.yaml"))
                .DistinctBy(Path.GetFileName)
                .OrderBy(Path.GetFileName, StringComparer.Ordinal)
                .Select(path => (Path.GetFileNameWithoutExtension(path), ReadSummary(path), path)),
        ];

    /// <summary>The file of a recipe named by path, or by bare name where it is shipped.</summary>
    public static string Find(CommandHost host, string recipe)
    {
        string[] names = [recipe, Path.Combine("recipes", recipe), Path.Combine("recipes", recipe + ".yaml")];
        return names
                .SelectMany(name => host.SearchFolders.Select(root => Path.Combine(root, name)))
                .FirstOrDefault(File.Exists)
            ?? throw new SettingsException(
                host.SearchFolders.Any(root => Directory.Exists(Path.Combine(root, recipe)))
                    ? $"recipe {recipe} is a folder: name a file or a shipped recipe, and the folder of a run with --run"
                    : $"recipe {recipe} does not exist{NearestName.Hint(Path.GetFileNameWithoutExtension(recipe), List(host).Select(known => known.Name))}; 'cope recipes ls' lists the shipped ones"
            );
    }

    static string ReadSummary(string path) =>
        File.ReadLines(path).FirstOrDefault() is { } line && line.StartsWith('#') ? line.TrimStart('#', ' ') : "";
}
