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
        var place = FindTaskFolder(folder, task);
        var labels = new GoldLabels(Path.Combine(place, LabelsFile), task, options.RequireGolds);
        var usersFile = Path.Combine(place, UsersFile);
        return new()
        {
            Task = task,
            Users = ReadUsers(usersFile, task, options, options.MaxUsers, options.RequireHistory)
                .Select(user => labels.FillGolds(user, usersFile))
                .ToList(),
            Others = options.MaxOthers == 0 ? [] : ReadOthers(Path.Combine(place, OthersFile), task, options),
        };
    }

    /// <summary>Writes a task's three files into <c>folder/task-name/</c>; each appears whole or not at all.</summary>
    public static void Write(string folder, LampDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        var place = Directory.CreateDirectory(Path.Combine(folder, dataset.Task.Name)).FullName;
        LampFileWriter.WriteUsers(Path.Combine(place, UsersFile), dataset.Users);
        LampFileWriter.WriteUsers(Path.Combine(place, OthersFile), dataset.Others);
        LampFileWriter.WriteGolds(
            Path.Combine(place, LabelsFile),
            dataset.Task,
            dataset.Users.SelectMany(user => user.Queries)
        );
    }

    static string FindTaskFolder(string folder, LampTask task)
    {
        var place = new DataFileLocation { File = folder };
        if (!Directory.Exists(folder))
        {
            throw new DataFileException(
                place,
                "no such folder",
                $"a folder with {task.Name}{Path.DirectorySeparatorChar}{UsersFile}",
                "Check the data setting."
            );
        }

        var inner = Path.Combine(folder, task.Name);
        if (Directory.Exists(inner))
        {
            return inner;
        }

        if (File.Exists(Path.Combine(folder, UsersFile)) || File.Exists(Path.Combine(folder, OthersFile)))
        {
            return folder;
        }

        var names = Directory
            .EnumerateDirectories(folder)
            .Select(Path.GetFileName)
            .Order(StringComparer.Ordinal)
            .ToList();
        throw new DataFileException(
            place,
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
        var others = ReadUsers(file, task, options with { ExcludeUser = null }, options.MaxOthers, needsHistory: false);
        if (!options.RequireGolds)
        {
            return others;
        }

        foreach (var user in others)
        {
            if (user.Queries.FirstOrDefault(query => string.IsNullOrWhiteSpace(query.Gold)) is { } empty)
            {
                throw new DataFileException(
                    new()
                    {
                        File = file,
                        User = user.Id,
                        Item = empty.Id,
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

    static List<LampUser> ReadUsers(string file, LampTask task, LampReadOptions options, int? most, bool needsHistory)
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
        var usable = users.Where(rules.Accept).Take(most ?? int.MaxValue).ToList();
        return usable.Count > 0 || options.ExcludeUser is not null
            ? usable
            : throw new DataFileException(
                new() { File = file },
                "no usable user",
                "one at least",
                "Check where the file comes from."
            );
    }

    static LampUser CapHistory(LampUser user, int? cap) =>
        cap is not { } most || user.History.Count <= most
            ? user
            : user with
            {
                History = user.History.TakeLast(most).ToList(),
            };
}

/// <summary>How a task's files are read.</summary>
public sealed record LampReadOptions
{
    /// <summary>Keep only the last (newest) items of every history; null keeps all.</summary>
    public int? HistoryCap
    {
        get;
        init => field = AtLeastOne(value, nameof(HistoryCap));
    }

    /// <summary>Keep only the first test users of the file; null keeps all. The file is not read beyond them.</summary>
    public int? MaxUsers
    {
        get;
        init => field = AtLeastOne(value, nameof(MaxUsers));
    }

    /// <summary>
    /// Whether a test user, by his id, is passed over as if the file did not hold him: he is none of
    /// <see cref="MaxUsers"/>, and a file of such users alone gives none. Null passes over nobody.
    /// </summary>
    public Func<string, bool>? ExcludeUser { get; init; }

    /// <summary>
    /// Keep only the first other users of the file; null keeps all. The file is not read beyond them; for 0 it is not
    /// read at all and may be missing.
    /// </summary>
    public int? MaxOthers
    {
        get;
        init =>
            field = value is null or >= 0
                ? value
                : throw new ArgumentOutOfRangeException(
                    nameof(MaxOthers),
                    value,
                    $"MaxOthers is {value}, expected 0 or more, or null for all."
                );
    }

    /// <summary>
    /// Whether every query of a test user must have a gold text, in the query or in the label file; turn off to predict
    /// where no gold is known.
    /// </summary>
    public bool RequireGolds { get; init; } = true;

    /// <summary>Whether every test user must have a history; turn off to score where histories are not known.</summary>
    public bool RequireHistory { get; init; } = true;

    /// <summary>
    /// Called with the reason for each user who is left out because he has no history (test users) or no query (all
    /// users); null refuses the file instead.
    /// </summary>
    public Action<DataFileException>? OnUserSkipped { get; init; }

    static int? AtLeastOne(int? value, string name) =>
        value is null or >= 1
            ? value
            : throw new ArgumentOutOfRangeException(
                name,
                value,
                $"{name} is {value}, expected 1 or more, or null for all."
            );
}

/// <summary>The golds of the label file, joined with those that queries carry themselves.</summary>
sealed class GoldLabels
{
    readonly string _file;
    readonly bool _required;
    readonly Dictionary<string, string>? _golds;

    public GoldLabels(string file, LampTask task, bool required)
    {
        (_file, _required) = (file, required);
        if (!File.Exists(file))
        {
            return;
        }

        using var tokens = new JsonTokenStream(file);
        _golds = new LampFileReader(tokens, task).ReadGolds();
    }

    /// <summary>The user with a gold for every query that has one.</summary>
    public LampUser FillGolds(LampUser user, string usersFile) =>
        user with
        {
            Queries = user.Queries.Select(query => query with { Gold = GoldOf(user, query, usersFile) }).ToList(),
        };

    string GoldOf(LampUser user, LampQuery query, string usersFile)
    {
        var place = new DataFileLocation
        {
            File = _file,
            User = user.Id,
            Item = query.Id,
        };
        var label = _golds?.GetValueOrDefault(query.Id);
        if (string.IsNullOrWhiteSpace(label))
        {
            return GoldOfQuery(query, place, label);
        }

        if (query.Gold.Length > 0 && !SameWords(query.Gold, label))
        {
            throw new DataFileException(
                place,
                "another gold than the query carries",
                $"the gold in {usersFile}",
                "Correct one of the two."
            );
        }

        return label;
    }

    string GoldOfQuery(LampQuery query, DataFileLocation place, string? label) =>
        !string.IsNullOrWhiteSpace(query.Gold) || !_required
            ? query.Gold
            : throw new DataFileException(
                place,
                $"{(_golds is null ? "no such file" : label is null ? "no label for the query" : "an empty label")}, and no gold in the query",
                "the text the user wrote",
                "Add the label; to predict without golds, turn RequireGolds off."
            );

    static bool SameWords(string a, string b) =>
        a.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .SequenceEqual(b.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}

/// <summary>
/// What a user of a file must have beyond its format: an identifier of his own, queries of their own, and a history
/// where one is needed.
/// </summary>
sealed class LampUserRules(string file, bool needsHistory, Action<DataFileException>? leaveOut)
{
    readonly HashSet<string> _users = [];
    readonly HashSet<string> _queries = [];

    /// <summary>True for a user to keep, false for one left out and reported.</summary>
    public bool Accept(LampUser user)
    {
        var place = new DataFileLocation { File = file, User = user.Id };
        if (!_users.Add(user.Id))
        {
            throw new DataFileException(
                place,
                "two users with this user_id",
                "each user once",
                "Rename or take out one of them."
            );
        }

        foreach (var query in user.Queries)
        {
            if (!_queries.Add(query.Id))
            {
                throw new DataFileException(
                    place with
                    {
                        Item = query.Id,
                    },
                    "two queries with this id in the file",
                    "each query once",
                    "Rename or take out one of them."
                );
            }
        }

        if (FindLack(user, place) is not { } lack)
        {
            return true;
        }

        if (leaveOut is null)
        {
            throw lack;
        }

        leaveOut(lack);
        return false;
    }

    DataFileException? FindLack(LampUser user, DataFileLocation place) =>
        needsHistory && user.History.Count == 0
            ? new(
                place with
                {
                    Field = "profile",
                },
                "an empty history",
                "one item at least",
                "A user without history cannot be personalised: give him a history, or take him out of the file."
            )
        : user.Queries.Count == 0
            ? new(
                place with
                {
                    Field = "query",
                },
                "no query",
                "one query at least",
                "A user without queries gives nothing to train or test on: give him a query, or take him out of the file."
            )
        : null;
}
