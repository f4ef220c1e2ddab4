using System.Security.Cryptography;
using System.Text;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Building;

/// <summary>Published files, and the setting that is made of them.</summary>
public sealed record BuildOptions
{
    /// <summary>The task.</summary>
    public required TaskDefinition Definition { get; init; }

    /// <summary>Questions files, or files with questions and outputs, of all splits wanted.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>Outputs files by questions file; where none is named, the golds stand in the file itself.</summary>
    public IReadOnlyDictionary<string, string> OutputFiles { get; init; } = new Dictionary<string, string>();

    /// <summary>Folder that gets the task's folder.</summary>
    public required string Target { get; init; }

    /// <summary>Test users: those with the longest histories.</summary>
    public int TestUsers
    {
        get;
        init => field = AtLeastOne(value, nameof(TestUsers));
    } = 100;

    /// <summary>Most other users, drawn by the seed; null takes all.</summary>
    public int? MaxOthers
    {
        get;
        init => field = value is null ? null : AtLeastOne(value.Value, nameof(MaxOthers));
    }

    /// <summary>Most history items of another user, the latest; null keeps all. No stage reads them.</summary>
    public int? MaxOtherItems { get; init; }

    /// <summary>Decides between users with histories of one length, and which others are drawn.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>Field of the user; null looks for the known ones.</summary>
    public string? UserField { get; init; }

    /// <summary>Field of a profile item's date; null looks for the known ones.</summary>
    public string? DateField { get; init; }

    /// <summary>Meaning of dates with slashes.</summary>
    public DateOrder DateOrder { get; init; }

    /// <summary>Told of the work.</summary>
    public IProgress<StageProgress>? Progress { get; init; }

    /// <summary>Asks for an early end.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>The sources in words, for what is known of all of them together.</summary>
    internal string SourceNames => Sources.Count == 1 ? Sources[0] : $"{Sources[0]} and {Sources.Count - 1} more";

    static int AtLeastOne(int value, string name) =>
        value >= 1
            ? value
            : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected 1 or more.");
}

/// <summary>What a build came to: counts before and after.</summary>
public sealed record BuildReport
{
    /// <summary>Examples read.</summary>
    public required int Examples { get; init; }

    /// <summary>Users they are of.</summary>
    public required int Users { get; init; }

    /// <summary>Different history items of them.</summary>
    public required int Items { get; init; }

    /// <summary>Examples without a gold, which are left out.</summary>
    public required int WithoutGold { get; init; }

    /// <summary>Users whose items do not all have a date, and stay in the order of the file.</summary>
    public required int UndatedUsers { get; init; }

    /// <summary>Other users that were not drawn.</summary>
    public required int OthersNotDrawn { get; init; }

    /// <summary>Entries left out, the first of them with their places.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>How many entries were left out.</summary>
    public required int ProblemCount { get; init; }

    /// <summary>The check of what was written, and what it took out.</summary>
    public required CheckReport Check { get; init; }
}

/// <summary>
/// Makes the setting of OPPU of a published benchmark: the users with the longest histories are tested, the others
/// train the task-adaptive model. The files stream: what is held is a gold a question,
/// an id a user, the test users, and one in 128 of the other users.
/// </summary>
public sealed class DataBuild
{
    readonly BuildOptions _options;
    readonly DataProgress _progress;
    readonly ProblemList _problems = new();
    readonly UniqueIds _queryIds = new();
    readonly ChronologicalOrder _order;
    int _examples;
    int _withoutGold;

    DataBuild(BuildOptions options) =>
        (_options, _progress, _order) = (
            options,
            new(options.Progress, options.CancellationToken),
            new(options, _problems.Add)
        );

    /// <summary>Reads the sources and writes the task's files.</summary>
    /// <exception cref="DataFileException">A source cannot be read, or too little is left.</exception>
    public static BuildReport Run(BuildOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DataBuild(options).Run();
    }

    BuildReport Run()
    {
        var folder = Path.Combine(_options.Target, _options.Definition.Task.Name, ".grouped");
        using var buckets = new UserBuckets(folder, _options.Definition.Task);
        foreach (var source in _options.Sources)
        {
            ReadSource(source, buckets);
        }

        buckets.CompleteWriting();
        var users = buckets
            .ReadUsers(ReportRenamedItem)
            .Select(user => (user.Id, Items: user.History.Count, Queries: user.Queries.Count, Rank: Rank(user.Id)))
            .ToList();
        var asked = users.Where(user => user.Queries > 0).ToList();
        var tested = asked
            .Where(user => user.Items > 0)
            .OrderByDescending(user => user.Items)
            .ThenBy(user => user.Rank)
            .Take(_options.TestUsers)
            .Select(user => user.Id)
            .ToList();
        if (tested.Count == 0 || asked.Count == tested.Count)
        {
            throw new DataFileException(
                new() { File = _options.SourceNames },
                $"{asked.Count} users with a question and its gold{_problems.Summary}",
                $"more than the {_options.TestUsers} test users",
                "Give the outputs files too, more splits, or a smaller --test-users."
            );
        }

        var places = tested.Select((id, place) => (id, place)).ToDictionary();
        var rest = asked.Where(user => !places.ContainsKey(user.Id)).ToList();
        var drawn = rest.OrderBy(user => user.Rank)
            .Take(_options.MaxOthers ?? int.MaxValue)
            .Select(user => user.Id)
            .ToHashSet();
        var undated = 0;
        LampUser Ordered(LampUser user)
        {
            if (_order.Sort(user) is { } items)
            {
                return user with { History = items };
            }

            undated++;
            return user;
        }

        var test = buckets
            .ReadUsers()
            .Where(user => places.ContainsKey(user.Id))
            .OrderBy(user => places[user.Id])
            .Select(Ordered);
        var others = buckets.ReadUsers().Where(user => drawn.Contains(user.Id)).Select(Ordered).Select(CapHistory);
        var check = new CheckedDatasetWriter(_options.Target, _options.Definition, _progress).Write(
            test,
            others,
            tested.Count + drawn.Count
        );
        return new()
        {
            Examples = _examples,
            Users = users.Count,
            Items = users.Sum(user => user.Items),
            WithoutGold = _withoutGold,
            UndatedUsers = undated,
            OthersNotDrawn = rest.Count - drawn.Count,
            Problems = _problems.FirstMessages,
            ProblemCount = _problems.Count,
            Check = check,
        };
    }

    void ReadSource(string source, UserBuckets buckets)
    {
        var golds = _options.OutputFiles.TryGetValue(source, out var outputs) ? ReadGolds(outputs) : null;
        var seen = new HashSet<string>();
        using var file = PublishedExampleReader.Open(source);
        foreach (
            var record in new PublishedExampleReader(
                file,
                _options.Definition.Task,
                _options.UserField,
                _problems.Add
            ).ReadExamples()
        )
        {
            _examples++;
            var (read, length) = file.Position;
            _progress.ReportRead("read", source, read, length);
            var gold = golds?.GetValueOrDefault(record.Query.Id) ?? record.Query.Gold;
            if (gold.Length == 0)
            {
                _withoutGold++;
            }

            if (gold.Length == 0 && golds is not null)
            {
                _problems.Add(
                    new(
                        new() { File = outputs!, Item = record.Query.Id },
                        "no output for this question",
                        "one",
                        "Its history counts, the question is left out."
                    )
                );
            }
            // Ids of different splits may be the same. Without a user in the file, every example is a user of its own,
            // as in LaMP's user-based split.
            var query = record.Query with
            {
                Id = _queryIds.MakeUnique(record.Query.Id),
                Gold = gold,
            };
            if (!seen.Add(record.Query.Id))
            {
                _problems.Add(
                    new(
                        new() { File = source, Item = record.Query.Id },
                        "the id of an earlier example",
                        "each id once",
                        $"The example is kept as \"{query.Id}\"."
                    )
                );
            }

            buckets.Add(record.User ?? query.Id, record with { Query = query, History = record.History });
        }

        foreach (var unused in golds?.Keys.Where(id => !seen.Contains(id)) ?? [])
        {
            _problems.Add(
                new(
                    new() { File = outputs!, Item = unused },
                    "an output without a question",
                    $"a question of this id in {Path.GetFileName(source)}",
                    "The output is left out."
                )
            );
        }
    }

    Dictionary<string, string> ReadGolds(string path)
    {
        using var tokens = new JsonTokenStream(path);
        return new LampFileReader(tokens, _options.Definition.Task, _problems.Add).ReadGolds();
    }

    void ReportRenamedItem(string user, string item, string own) =>
        _problems.Add(
            new(
                new()
                {
                    File = _options.SourceNames,
                    User = user,
                    Item = item,
                },
                "another text than in an earlier item of this id",
                "each id once",
                $"The item is kept as \"{own}\"."
            )
        );

    LampUser CapHistory(LampUser user) =>
        _options.MaxOtherItems is not { } most || user.History.Count <= most
            ? user
            : user with
            {
                History = [.. user.History.TakeLast(most)],
            };

    UInt128 Rank(string user)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{_options.Seed}\n{user}"));
        return new(BitConverter.ToUInt64(hash, 0), BitConverter.ToUInt64(hash, 8));
    }
}

/// <summary>Puts histories into the order of their dates.</summary>
sealed class ChronologicalOrder(BuildOptions options, Action<DataFileException> problem)
{
    /// <summary>Fields in which the published files date an item.</summary>
    static readonly string[] DateFields = ["date", "timestamp", "unixReviewTime", "reviewTime", "created_utc", "year"];

    /// <summary>The items, oldest first; null where not all of them have a date.</summary>
    /// <exception cref="DataFileException">Dates of his cannot be told.</exception>
    public IReadOnlyList<HistoryItem>? Sort(LampUser user)
    {
        var field =
            options.DateField
            ?? DateFields.FirstOrDefault(name => user.History.Any(item => item.Fields.ContainsKey(name)));
        if (field is null)
        {
            return null;
        }

        var texts = user
            .History.Select(item =>
                (
                    Place: new DataFileLocation
                    {
                        File = options.SourceNames,
                        User = user.Id,
                        Item = item.Id,
                        Field = field,
                    },
                    Text: item.Fields.GetValueOrDefault(field, "")
                )
            )
            .ToList();
        var column = new DateColumnParser(texts, options.DateOrder);
        var dates = texts.Select(text => column.Parse(text.Text)).ToList();
        var undated = dates.IndexOf(null);
        if (undated >= 0)
        {
            problem(
                new(
                    texts[undated].Place,
                    texts[undated].Text is { Length: > 0 } text ? $"\"{text}\"" : "no date",
                    "a date, as other items of his have one",
                    "His items stay in the order of the file."
                )
            );
        }

        return undated >= 0
            ? null
            : [.. user.History.Zip(dates).OrderBy(pair => pair.Second).Select(pair => pair.First)];
    }
}
