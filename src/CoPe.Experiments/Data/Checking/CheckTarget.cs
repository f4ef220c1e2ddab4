using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>Files of one task that are checked together.</summary>
/// <param name="Folder">Where they lie.</param>
/// <param name="UsersFile">File of the test users; null where there is none.</param>
/// <param name="OthersFile">File of the other users; null where there is none.</param>
/// <param name="LabelsFile">Label file; null where there is none.</param>
/// <param name="UnreadFiles">Other JSON files beside them, which no run reads.</param>
sealed record CheckTarget(
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
                var users = TakeFile(rest, LampFiles.UsersFile);
                var others = TakeFile(rest, LampFiles.OthersFile);
                var labels = TakeFile(rest, LampFiles.LabelsFile);
                targets.Add(new(group.Key, users, others, labels, []));
            }
        }

        return targets;
    }

    /// <summary>
    /// Files that a run needs of a task's folder and that are not there; golds may stand in the queries.
    /// </summary>
    public IReadOnlyList<string> MissingFiles => IsTaskFolder ? [.. FindMissingFiles()] : [];

    /// <summary>Whether this is a task's folder, not single files of it.</summary>
    public bool IsTaskFolder { get; init; }

    /// <summary>
    /// The task these files are of: that of the task file beside them, of the folder's name, or of the label file.
    /// </summary>
    /// <exception cref="DataFileException">None of them names a task.</exception>
    public TaskDefinition ReadDefinition()
    {
        var taskFile = Path.Combine(Folder, TaskFile.DefaultName);
        if (File.Exists(taskFile))
        {
            return TaskFile.Read(taskFile);
        }

        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Folder)));
        var task =
            LampTasks.All.FirstOrDefault(known => known.Name == name)
            ?? LampTasks.All.FirstOrDefault(known => known.BenchmarkId == ReadTaskOfLabels());
        if (task is not null)
        {
            return TaskFile.LoadShipped(task.Name);
        }

        throw new DataFileException(
            new() { File = Folder },
            $"no {TaskFile.DefaultName}, and a folder name and label file that name no shipped task",
            "a task",
            "Name it with --task NAME, or --task FILE for one of your own."
        );
    }

    IEnumerable<string> FindMissingFiles()
    {
        if (UsersFile is null)
        {
            yield return Path.Combine(Folder, LampFiles.UsersFile);
        }

        if (OthersFile is null)
        {
            yield return Path.Combine(Folder, LampFiles.OthersFile);
        }

        // Labels may be absent, but a folder in their place is a mistake.
        var labels = Path.Combine(Folder, LampFiles.LabelsFile);
        if (LabelsFile is null && Directory.Exists(labels))
        {
            yield return labels;
        }
    }

    /// <summary>Takes the first file that stands for the named one off the list.</summary>
    static string? TakeFile(List<string> files, string standardName)
    {
        var found = files.FirstOrDefault(file => StandardNameOf(file) == standardName);
        if (found is not null)
        {
            files.Remove(found);
        }

        return found;
    }

    static string StandardNameOf(string file)
    {
        var name = Path.GetFileName(file);
        if (name.Contains("label", StringComparison.OrdinalIgnoreCase))
        {
            return LampFiles.LabelsFile;
        }

        var isOthers = name.Contains("others", StringComparison.OrdinalIgnoreCase);
        return isOthers ? LampFiles.OthersFile : LampFiles.UsersFile;
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
        if (inside.Count > 0)
        {
            return inside;
        }

        throw new DataFileException(
            new() { File = folder },
            $"neither {LampFiles.UsersFile} nor a folder with one",
            "the files of a task",
            "Name the folder of a task, a folder of such folders, or the files themselves."
        );
    }

    static CheckTarget? FromFolder(string folder)
    {
        if (!LampFiles.HoldsFiles(folder))
        {
            return null;
        }

        string? Find(string name) => File.Exists(Path.Combine(folder, name)) ? Path.Combine(folder, name) : null;
        var users = Find(LampFiles.UsersFile);
        var others = Find(LampFiles.OthersFile);
        var labels = Find(LampFiles.LabelsFile);
        var unread = Directory
            .EnumerateFiles(folder, "*.json")
            .Where(file => file != users && file != others && file != labels)
            .Order(StringComparer.Ordinal);
        return new(folder, users, others, labels, [.. unread]) { IsTaskFolder = true };
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
