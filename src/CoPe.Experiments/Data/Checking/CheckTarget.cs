using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>Files of one task that are checked together.</summary>
/// <param name="Folder">Where they lie.</param>
/// <param name="UsersFile">File of the test users; null where there is none.</param>
/// <param name="OthersFile">File of the other users; null where there is none.</param>
/// <param name="LabelsFile">Label file; null where there is none.</param>
/// <param name="UnreadFiles">Other JSON files beside them, which no run reads.</param>
public sealed record CheckTarget(
    string Folder,
    string? UsersFile,
    string? OthersFile,
    string? LabelsFile,
    IReadOnlyList<string> UnreadFiles
)
{
    /// <summary>
    /// The targets of paths: a task's folder, a folder of such folders, or files, which are told apart by <c>label</c>
    /// and <c>others</c> in their names.
    /// </summary>
    /// <exception cref="DataFileException">A path is not there, or holds no files of a task.</exception>
    public static IReadOnlyList<CheckTarget> Find(IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(paths);
        var targets = paths.Where(Directory.Exists).SelectMany(FindInFolder).ToList();
        foreach (var missing in paths.Where(path => !Directory.Exists(path) && !File.Exists(path)))
        {
            throw new DataFileException(
                new() { File = missing },
                "no such file or folder",
                "a task's folder or file",
                "Check the path."
            );
        }

        foreach (var group in paths.Where(File.Exists).GroupBy(path => Path.GetDirectoryName(Path.GetFullPath(path))!))
        {
            var rest = group.ToList();
            while (rest.Count > 0)
            {
                targets.Add(new(group.Key, Take(rest, "users"), Take(rest, "others"), Take(rest, "label"), []));
            }
        }

        return targets;
    }

    /// <summary>
    /// Files that a run needs of a task's folder and that are not there; golds may stand in the queries.
    /// </summary>
    public IReadOnlyList<string> MissingFiles =>
        !IsTaskFolder
            ? []
            :
            [
                .. new[]
                {
                    (UsersFile, LampFiles.UsersFile),
                    (OthersFile, LampFiles.OthersFile),
                    (LabelsFile, LampFiles.LabelsFile),
                }
                    .Where(file => file.Item1 is null)
                    .Select(file => Path.Combine(Folder, file.Item2))
                    .Where(file => Path.GetFileName(file) != LampFiles.LabelsFile || Directory.Exists(file)),
            ];

    /// <summary>Whether this is a task's folder, not single files of it.</summary>
    public bool IsTaskFolder { get; init; }

    /// <summary>
    /// The task these files are of: that of the task file beside them, of the folder's name, or of the label file.
    /// </summary>
    /// <exception cref="DataFileException">Nothing tells.</exception>
    public TaskDefinition ReadDefinition()
    {
        var own = Path.Combine(Folder, TaskFile.DefaultName);
        if (File.Exists(own))
        {
            return TaskFile.Read(own);
        }

        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Folder)));
        var task =
            LampTasks.All.FirstOrDefault(known => known.Name == name)
            ?? LampTasks.All.FirstOrDefault(known => known.BenchmarkId == ReadTaskOfLabels());
        return task is not null
            ? TaskFile.LoadShipped(task.Name)
            : throw new DataFileException(
                new() { File = Folder },
                $"no {TaskFile.DefaultName}, and a folder name and label file that name no shipped task",
                "a task",
                "Name it with --task NAME, or --task FILE for one of your own."
            );
    }

    static string? Take(List<string> files, string kind)
    {
        var found = files.FirstOrDefault(file => KindOf(file) == kind);
        if (found is not null)
        {
            files.Remove(found);
        }

        return found;
    }

    static string KindOf(string file)
    {
        var name = Path.GetFileName(file);
        return name.Contains("label", StringComparison.OrdinalIgnoreCase) ? "label"
            : name.Contains("others", StringComparison.OrdinalIgnoreCase) ? "others"
            : "users";
    }

    static IEnumerable<CheckTarget> FindInFolder(string folder)
    {
        var here = FromFolder(folder);
        if (here is not null)
        {
            return [here];
        }

        var inside = Directory
            .EnumerateDirectories(folder)
            .Order(StringComparer.Ordinal)
            .Select(FromFolder)
            .OfType<CheckTarget>()
            .ToList();
        return inside.Count > 0
            ? inside
            : throw new DataFileException(
                new() { File = folder },
                $"neither {LampFiles.UsersFile} nor a folder with one",
                "the files of a task",
                "Name the folder of a task, a folder of such folders, or the files themselves."
            );
    }

    static CheckTarget? FromFolder(string folder)
    {
        string? There(string name) => File.Exists(Path.Combine(folder, name)) ? Path.Combine(folder, name) : null;
        var (users, others, labels) = (
            There(LampFiles.UsersFile),
            There(LampFiles.OthersFile),
            There(LampFiles.LabelsFile)
        );
        if (users is null && others is null && labels is null)
        {
            return null;
        }

        return new(
            folder,
            users,
            others,
            labels,
            [
                .. Directory
                    .EnumerateFiles(folder, "*.json")
                    .Where(file => file != users && file != others && file != labels)
                    .Order(StringComparer.Ordinal),
            ]
        )
        {
            IsTaskFolder = true,
        };
    }

    string? ReadTaskOfLabels()
    {
        if (LabelsFile is null)
        {
            return null;
        }

        try
        {
            using var tokens = new JsonTokenStream(LabelsFile);
            while (tokens.Read())
            {
                if (tokens.Depth == 1 && tokens.Text == "task" && tokens.Read())
                {
                    return tokens.Text;
                }
            }
        }
        catch (DataFileException)
        {
            // The check itself says what is wrong with the file.
        }

        return null;
    }
}
