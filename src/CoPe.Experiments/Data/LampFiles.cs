using System.ComponentModel.DataAnnotations;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>
/// Reads and writes a task's three files in the formats of LaMP and LongLaMP; docs/data.md describes them.
/// </summary>
public static class LampFiles
{
    /// <summary>File of the test users.</summary>
    public const string UsersFile = "user_top_100_history.json";

    /// <summary>File of the other users, whose queries train the task-adaptive model.</summary>
    public const string OthersFile = "user_others.json";

    /// <summary>File of the test users' golds.</summary>
    public const string LabelsFile = "user_top_100_history_label.json";

    /// <summary>
    /// Reads a task, either from <c>folder/task-name/</c> or from <c>folder</c> itself where that holds the files.
    /// </summary>
    /// <exception cref="DataFileException">A file is missing or does not hold what the task needs.</exception>
    public static LampDataset Read(string folder, LampTask task, LampReadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        options ??= new();
        var taskFolder = FindTaskFolder(folder, task.Name) ?? throw CreateNoTaskFolderError(folder, task);
        var labels = new GoldLabels(Path.Combine(taskFolder, LabelsFile), task, options.RequireGolds);
        var usersFile = Path.Combine(taskFolder, UsersFile);
        return new()
        {
            Task = task,
            Users = Keep(
                ReadUsers(usersFile, task, options, options.MaxUsers, options.RequireHistory)
                    .Select(user => labels.FillGolds(user, usersFile)),
                usersFile,
                options
            ),
            Others = options.MaxOthers == 0 ? [] : ReadOthers(Path.Combine(taskFolder, OthersFile), task, options),
        };
    }

    /// <summary>Writes a task's three files into <c>folder/task-name/</c>; each appears whole or not at all.</summary>
    public static void Write(string folder, LampDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var taskFolder = Directory.CreateDirectory(Path.Combine(folder, dataset.Task.Name)).FullName;
        LampFileWriter.WriteUsers(Path.Combine(taskFolder, UsersFile), dataset.Users);
        LampFileWriter.WriteUsers(Path.Combine(taskFolder, OthersFile), dataset.Others);
        LampFileWriter.WriteGolds(
            Path.Combine(taskFolder, LabelsFile),
            dataset.Task,
            dataset.Users.SelectMany(user => user.Queries)
        );
    }

    /// <summary>
    /// The folder of a task's files: <c>folder/task-name</c> where that is a folder, otherwise <c>folder</c> itself
    /// where it holds one of the three files; null where neither is so. Everything that reads a data folder follows
    /// this rule.
    /// </summary>
    public static string? FindTaskFolder(string folder, string taskName)
    {
        var inner = Path.Combine(folder, taskName);
        if (Directory.Exists(inner))
        {
            return inner;
        }

        return HoldsFiles(folder) ? folder : null;
    }

    /// <summary>Whether one of the three files lies in the folder itself.</summary>
    internal static bool HoldsFiles(string folder) =>
        new[] { UsersFile, OthersFile, LabelsFile }.Any(name => File.Exists(Path.Combine(folder, name)));

    static DataFileException CreateNoTaskFolderError(string folder, LampTask task)
    {
        var location = new DataFileLocation { File = folder };
        if (!Directory.Exists(folder))
        {
            return new(
                location,
                "no such folder",
                $"a folder with {task.Name}{Path.DirectorySeparatorChar}{UsersFile}",
                "Check the data setting."
            );
        }

        var names = Directory
            .EnumerateDirectories(folder)
            .Select(Path.GetFileName)
            .Order(StringComparer.Ordinal)
            .ToList();
        return new(
            location,
            names.Count == 0 ? "no folder" : $"only the folders {string.Join(", ", names)}",
            $"a folder {task.Name} or the file {UsersFile}",
            "Check the data and task settings."
        );
    }

    /// <summary>
    /// The other users, whose golds stand in their queries: from an empty one the task-adaptive model would learn to
    /// say nothing.
    /// </summary>
    static List<LampUser> ReadOthers(string file, LampTask task, LampReadOptions options)
    {
        options = options with { ExcludeUser = null };
        var others = Keep(ReadUsers(file, task, options, options.MaxOthers, needsHistory: false), file, options);
        if (!options.RequireGolds)
        {
            return others;
        }

        foreach (var user in others)
        {
            var withoutGold = user.Queries.FirstOrDefault(query => string.IsNullOrWhiteSpace(query.Gold));
            if (withoutGold is not null)
            {
                throw new DataFileException(
                    new()
                    {
                        File = file,
                        User = user.Id,
                        Item = withoutGold.Id,
                        Field = "gold",
                    },
                    "no text",
                    "the text the user wrote",
                    "Add it, or leave the query out; 'cope data build' joins golds that lie in another file."
                );
            }
        }

        return others;
    }

    static IEnumerable<LampUser> ReadUsers(
        string file,
        LampTask task,
        LampReadOptions options,
        int? maxUsers,
        bool needsHistory
    )
    {
        if (!File.Exists(file))
        {
            throw new DataFileException(
                new() { File = file },
                "no such file",
                $"the users of task {task.Name}",
                "Put the file there, or check the data setting."
            );
        }

        using var tokens = new JsonTokenStream(file);
        var users = new LampFileReader(tokens, task)
            .ReadUsers()
            .Where(user => options.ExcludeUser?.Invoke(user.Id) != true)
            .Select(user => CapHistory(user, options.HistoryCap));
        var rules = new LampUserRules(file, needsHistory, options.OnUserSkipped);
        foreach (var user in users.Where(rules.Accept).Take(maxUsers ?? int.MaxValue))
        {
            yield return user;
        }
    }

    static List<LampUser> Keep(IEnumerable<LampUser> users, string file, LampReadOptions options)
    {
        List<LampUser> kept = [.. options.PacksTexts ? users.Select(PackedUser.Pack) : users];
        // A file whose users are all excluded is no fault of the file.
        if (kept.Count > 0 || options.ExcludeUser is not null)
        {
            return kept;
        }

        throw new DataFileException(
            new() { File = file },
            "no usable user",
            "one at least",
            "Check where the file comes from."
        );
    }

    static LampUser CapHistory(LampUser user, int? cap)
    {
        if (cap is null || user.History.Count <= cap)
        {
            return user;
        }

        return user with
        {
            History = user.History.TakeLast(cap.Value).ToList(),
        };
    }
}

/// <summary>How a task's files are read.</summary>
public sealed record LampReadOptions
{
    /// <summary>Keep only the last (newest) items of every history; null keeps all.</summary>
    [Range(1, int.MaxValue)]
    public int? HistoryCap
    {
        get;
        init => field = OptionGuard.Check(typeof(LampReadOptions), value);
    }

    /// <summary>Keep only the first test users of the file; null keeps all. The file is not read beyond them.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxUsers
    {
        get;
        init => field = OptionGuard.Check(typeof(LampReadOptions), value);
    }

    /// <summary>
    /// Whether a test user, by id, is skipped as if the file did not hold them: they do not count among
    /// <see cref="MaxUsers"/>, and a file of such users alone gives none. Null skips nobody.
    /// </summary>
    public Func<string, bool>? ExcludeUser { get; init; }

    /// <summary>
    /// Keep only the first other users of the file; null keeps all. The file is not read beyond them; for 0 it is not
    /// read at all and may be missing.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int? MaxOthers
    {
        get;
        init => field = OptionGuard.Check(typeof(LampReadOptions), value);
    }

    /// <summary>
    /// Whether every query of a test user must have a gold text, in the query or in the label file; turn off to predict
    /// where no gold is known.
    /// </summary>
    public bool RequireGolds { get; init; } = true;

    /// <summary>Whether every test user must have a history; turn off to score where histories are not known.</summary>
    public bool RequireHistory { get; init; } = true;

    /// <summary>Whether texts are kept packed (<see cref="PackedUser"/>), for runs of many users.</summary>
    [CodeOnly]
    internal bool PacksTexts { get; init; }

    /// <summary>
    /// Called with the reason for each user who is left out for having no history (test users) or no query (all users);
    /// null refuses the file instead.
    /// </summary>
    public Action<DataFileException>? OnUserSkipped { get; init; }
}
