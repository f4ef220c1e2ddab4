namespace CoPe.Data;

/// <summary>Reads and writes a task's three files in the formats of LaMP and LongLaMP; docs/data.md describes them.</summary>
public static class LampFiles
{
    /// <summary>File of the test users.</summary>
    public const string UsersFile = "user_top_100_history.json";

    /// <summary>File of the other users, whose queries train the task-adaptive model.</summary>
    public const string OthersFile = "user_others.json";

    /// <summary>File of the test users' golds.</summary>
    public const string LabelsFile = "user_top_100_history_label.json";

    /// <summary>Reads a task, either from <c>folder/task-name/</c> or from <c>folder</c> itself where that holds the files.</summary>
    /// <exception cref="DataFileException">A file is missing or does not hold what the task needs.</exception>
    public static LampDataset Read(string folder, LampTask task, LampReadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        options ??= new();
        var place = TaskFolder(folder, task);
        var labels = new LampLabels(Path.Combine(place, LabelsFile), task, options.RequireGolds);
        var usersFile = Path.Combine(place, UsersFile);
        return new()
        {
            Task = task,
            Users = Users(usersFile, task, options, options.MaxUsers, options.RequireHistory).Select(user => labels.Fill(user, usersFile)).ToList(),
            Others = options.MaxOthers == 0 ? [] : Others(Path.Combine(place, OthersFile), task, options),
        };
    }

    /// <summary>Writes a task's three files into <c>folder/task-name/</c>; each appears whole or not at all.</summary>
    public static void Write(string folder, LampDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var place = Directory.CreateDirectory(Path.Combine(folder, dataset.Task.Name)).FullName;
        LampFileWriter.WriteUsers(Path.Combine(place, UsersFile), dataset.Users);
        LampFileWriter.WriteUsers(Path.Combine(place, OthersFile), dataset.Others);
        LampFileWriter.WriteGolds(Path.Combine(place, LabelsFile), dataset.Task, dataset.Users.SelectMany(user => user.Queries));
    }

    static string TaskFolder(string folder, LampTask task)
    {
        var place = new DataFilePlace { File = folder };
        if (!Directory.Exists(folder))
            throw new DataFileException(place, "no such folder", $"a folder with {task.Name}{Path.DirectorySeparatorChar}{UsersFile}", "Check the data setting.");
        var inner = Path.Combine(folder, task.Name);
        if (Directory.Exists(inner)) return inner;
        if (File.Exists(Path.Combine(folder, UsersFile)) || File.Exists(Path.Combine(folder, OthersFile))) return folder;
        var names = Directory.EnumerateDirectories(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToList();
        throw new DataFileException(place, names.Count == 0 ? "no folder" : $"only the folders {string.Join(", ", names)}",
            $"a folder {task.Name} or the file {UsersFile}", "Check the data and task settings.");
    }

    /// <summary>The other users, whose golds stand in their queries: from an empty one the task-adaptive model would learn to say nothing.</summary>
    static List<LampUser> Others(string file, LampTask task, LampReadOptions options)
    {
        var others = Users(file, task, options with { Except = null }, options.MaxOthers, needsHistory: false);
        if (!options.RequireGolds) return others;
        foreach (var user in others)
            if (user.Queries.FirstOrDefault(query => string.IsNullOrWhiteSpace(query.Gold)) is { } empty)
                throw new DataFileException(new() { File = file, User = user.Id, Item = empty.Id, Field = "gold" }, "no text", "the text the user wrote", "Add it, or leave the query out; 'cope data build' joins golds that lie in another file.");
        return others;
    }

    static List<LampUser> Users(string file, LampTask task, LampReadOptions options, int? most, bool needsHistory)
    {
        if (!File.Exists(file))
            throw new DataFileException(new() { File = file }, "no such file", $"the users of task {task.Name}", "Put the file there, or check the data setting.");
        using var tokens = new JsonTokenStream(file);
        var users = new LampFileReader(tokens, task).Users().Where(user => options.Except?.Invoke(user.Id) != true).Select(user => Capped(user, options.HistoryCap));
        var rules = new LampRules(file, needsHistory, options.LeaveOut);
        var usable = users.Where(rules.Accept).Take(most ?? int.MaxValue).ToList();
        return usable.Count > 0 || options.Except is not null ? usable
            : throw new DataFileException(new() { File = file }, "no usable user", "one at least", "Check where the file comes from.");
    }

    static LampUser Capped(LampUser user, int? cap) =>
        cap is not { } most || user.Profile.Count <= most ? user : user with { Profile = user.Profile.TakeLast(most).ToList() };
}
