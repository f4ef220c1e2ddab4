using CoPe.Cli.Failures;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Hosting;

/// <summary>The runs in a folder.</summary>
static class RunFolders
{
    /// <summary>The folder in which a run lies that is not told where.</summary>
    public const string DefaultFolder = "runs";

    const int MostNamed = 8;

    /// <summary>The folder in which the run of a recipe lies that is not told where: named like the recipe.</summary>
    /// <exception cref="UsageException">The recipe's name is none that a folder can have.</exception>
    public static string NameFor(string recipe)
    {
        var name = Path.GetFileNameWithoutExtension(recipe);
        return FileName.IsPlain(name)
            ? Path.Combine(DefaultFolder, name)
            : throw new UsageException(
                $"the run of {recipe} would be called '{name}'; expected {FileName.Expected}: rename the recipe, "
                    + "or name a folder with --run"
            );
    }

    /// <summary>
    /// The runs in a folder, by name: those that hold a recipe, and folders that hold such runs in turn. The folder may
    /// itself be a run.
    /// </summary>
    public static IReadOnlyList<RunDirectory> List(CommandHost host, string folder)
    {
        var named = new RunDirectory(host.PathOf(folder), folder);
        if (IsRun(named))
        {
            return [named];
        }

        return Directory.Exists(named.Root)
            ?
            [
                .. Directory
                    .EnumerateDirectories(named.Root)
                    .Where(path => !Path.GetFileName(path).StartsWith('.'))
                    .Order(StringComparer.Ordinal)
                    .Select(path => new RunDirectory(path, Path.Combine(folder, Path.GetFileName(path))))
                    .Where(run => IsRun(run) || run.ChildRuns().Any()),
            ]
            : [];
    }

    /// <summary>Says that a folder holds no run, and which do.</summary>
    public static string DescribeMissing(CommandHost host, string folder)
    {
        var root = host.PathOf(folder);
        var problem = (Directory.Exists(root), File.Exists(root)) switch
        {
            (true, _) => $"{folder} holds no run: there is no recipe.yaml in it",
            (_, true) => $"{folder} is a file, expected the folder of a run",
            _ => $"there is no run {folder}",
        };
        string[] places = Path.GetDirectoryName(folder) is { Length: > 0 } parent ? [parent] : [DefaultFolder, ""];
        var names = places
            .SelectMany(place => List(host, place))
            .Select(run => run.Name)
            .Where(name => name != "")
            .ToList();
        if (names.Count == 0)
        {
            return $"{problem}; make one with a recipe, for example 'cope run demo --run {folder}'";
        }

        var more = names.Count > MostNamed ? $" and {names.Count - MostNamed} more ('cope runs ls')" : "";
        var near = NearestName.FindSimilar(Path.GetFileName(folder), names.Select(name => Path.GetFileName(name)!));
        var nearest = near is null ? "" : $"; did you mean '{names.Find(name => Path.GetFileName(name) == near)}'?";
        return $"{problem}{nearest} (runs: {string.Join(", ", names.Take(MostNamed))}{more})";
    }

    static bool IsRun(RunDirectory run) => File.Exists(run.Recipe);
}
