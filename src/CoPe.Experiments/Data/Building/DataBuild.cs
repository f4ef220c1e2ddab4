using System.ComponentModel.DataAnnotations;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Building;

/// <summary>Published files, and the setting that is built from them.</summary>
sealed record BuildOptions
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
    [Range(1, int.MaxValue)]
    public int TestUsers
    {
        get;
        init => field = OptionGuard.Check(typeof(BuildOptions), value);
    } = 100;

    /// <summary>Most other users, drawn by the seed; null takes all.</summary>
    [Range(1, int.MaxValue)]
    public int? MaxOthers
    {
        get;
        init => field = OptionGuard.Check(typeof(BuildOptions), value);
    }

    /// <summary>Most history items of another user, the latest; null keeps all. No stage reads them.</summary>
    public int? MaxOtherItems { get; init; }

    /// <summary>Decides between users with histories of one length, and which others are drawn.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>Field of the user; null searches for the known ones.</summary>
    public string? UserField { get; init; }

    /// <summary>Field of a history item's date; null searches for the known ones.</summary>
    public string? DateField { get; init; }

    /// <summary>Meaning of dates with slashes.</summary>
    public DateOrder DateOrder { get; init; }

    /// <summary>Receives the progress of the work.</summary>
    public IProgress<StageProgress>? Progress { get; init; }

    /// <summary>Cancels the work.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>The sources in words, for what is known of all of them together.</summary>
    internal string SourceNames => Sources.Count == 1 ? Sources[0] : $"{Sources[0]} and {Sources.Count - 1} more";
}

/// <summary>The result of a build: counts before and after.</summary>
sealed record BuildReport
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

    /// <summary>The check of what was written, and what it removed.</summary>
    public required CheckReport Check { get; init; }
}

/// <summary>
/// Turns a published benchmark into the setting of OPPU: the users with the longest histories are test users, the
/// others train the task-adaptive model. The files are streamed: held in memory are the gold of each question, the
/// counts of each user, the test users, and one in 128 of the other users.
/// </summary>
sealed class DataBuild
{
    readonly BuildOptions _options;
    readonly DataProgress _progress;
    readonly ProblemList _problems = new();
    readonly UniqueIds _queryIds = new();
    readonly ChronologicalOrder _order;
    int _examples;
    int _withoutGold;
    int _undatedUsers;

    DataBuild(BuildOptions options)
    {
        _options = options;
        _progress = new(options.Progress, options.CancellationToken);
        _order = new(options, _problems.Add);
    }

    LampTask Task => _options.Definition.Task;

    /// <summary>Reads the sources and writes the task's files.</summary>
    /// <exception cref="DataFileException">A source cannot be read, or too little is left.</exception>
    public static BuildReport Run(BuildOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DataBuild(options).Run();
    }

    BuildReport Run()
    {
        using var buckets = new UserBuckets(Path.Combine(_options.Target, Task.Name, ".grouped"), Task);
        foreach (var source in _options.Sources)
        {
            ReadSource(source, buckets);
        }

        buckets.CompleteWriting();
        var users = buckets.ReadUsers(ReportRenamedItem).Select(CountItems).ToList();
        var selection = SelectUsers(users);
        var check = Write(buckets, selection);
        return new()
        {
            Examples = _examples,
            Users = users.Count,
            Items = users.Sum(user => user.Items),
            WithoutGold = _withoutGold,
            UndatedUsers = _undatedUsers,
            OthersNotDrawn = selection.OthersNotDrawn,
            Problems = _problems.FirstMessages,
            ProblemCount = _problems.Count,
            Check = check,
        };
    }

    void ReadSource(string source, UserBuckets buckets)
    {
        var golds = new GoldsOfSource(this, source);
        using var file = PublishedExampleReader.Open(source);
        var reader = new PublishedExampleReader(file, Task, _options.UserField, _problems.Add);
        foreach (var example in reader.ReadExamples())
        {
            _examples++;
            var (read, length) = file.Position;
            _progress.ReportRead("read", source, read, length);
            var isFirstOfId = golds.Take(example.Query, out var gold);
            if (gold.Length == 0)
            {
                _withoutGold++;
            }

            // Ids of different splits may be the same. Without a user in the file, every example is a user of its own,
            // as in LaMP's user-based split.
            var query = example.Query with
            {
                Id = _queryIds.MakeUnique(example.Query.Id),
                Gold = gold,
            };
            if (!isFirstOfId)
            {
                _problems.Add(
                    new(
                        new() { File = source, Item = example.Query.Id },
                        "the id of an earlier example",
                        "each id once",
                        $"The example is kept as \"{query.Id}\"."
                    )
                );
            }

            buckets.Add(example.User ?? query.Id, example with { Query = query });
        }

        golds.ReportUnused();
    }

    UserCounts CountItems(LampUser user) =>
        new(user.Id, user.History.Count, user.Queries.Count, SeedDerivation.RankUser(_options.Seed, user.Id));

    /// <summary>The test users, longest history first, and the other users drawn by the seed.</summary>
    UserSelection SelectUsers(List<UserCounts> users)
    {
        var withQueries = users.Where(user => user.Queries > 0).ToList();
        var testUsers = withQueries
            .Where(user => user.Items > 0)
            .OrderByDescending(user => user.Items)
            .ThenBy(user => user.Rank)
            .Take(_options.TestUsers)
            .Select((user, index) => (user.Id, index))
            .ToDictionary();
        if (testUsers.Count == 0 || testUsers.Count == withQueries.Count)
        {
            throw new DataFileException(
                new() { File = _options.SourceNames },
                $"{withQueries.Count} users with a question and its gold{_problems.Summary}",
                $"more than the {_options.TestUsers} test users",
                "Give the outputs files too, more splits, or a smaller --test-users."
            );
        }

        var candidates = withQueries.Where(user => !testUsers.ContainsKey(user.Id)).ToList();
        var others = candidates
            .OrderBy(user => user.Rank)
            .Take(_options.MaxOthers ?? int.MaxValue)
            .Select(user => user.Id)
            .ToHashSet();
        return new(testUsers, others, candidates.Count - others.Count);
    }

    CheckReport Write(UserBuckets buckets, UserSelection selection)
    {
        var testUsers = buckets
            .ReadUsers()
            .Where(user => selection.TestUsers.ContainsKey(user.Id))
            .OrderBy(user => selection.TestUsers[user.Id])
            .Select(SortHistory);
        var others = buckets
            .ReadUsers()
            .Where(user => selection.Others.Contains(user.Id))
            .Select(SortHistory)
            .Select(CapHistory);
        var writer = new CheckedDatasetWriter(_options.Target, _options.Definition, _progress);
        return writer.Write(testUsers, others, selection.TestUsers.Count + selection.Others.Count);
    }

    LampUser SortHistory(LampUser user)
    {
        var sorted = _order.Sort(user);
        if (sorted is null)
        {
            _undatedUsers++;
            return user;
        }

        return user with
        {
            History = sorted,
        };
    }

    LampUser CapHistory(LampUser user)
    {
        var most = _options.MaxOtherItems;
        if (most is null || user.History.Count <= most)
        {
            return user;
        }

        return user with
        {
            History = [.. user.History.TakeLast(most.Value)],
        };
    }

    void ReportRenamedItem(string user, string item, string newId) =>
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
                $"The item is kept as \"{newId}\"."
            )
        );

    sealed record UserCounts(string Id, int Items, int Queries, UInt128 Rank);

    /// <param name="TestUsers">Id of each test user to their place in the file.</param>
    /// <param name="Others">Ids of the other users that were drawn.</param>
    /// <param name="OthersNotDrawn">How many other users were not.</param>
    sealed record UserSelection(
        IReadOnlyDictionary<string, int> TestUsers,
        IReadOnlySet<string> Others,
        int OthersNotDrawn
    );

    /// <summary>The golds of one source: those of its outputs file where it has one, otherwise its own.</summary>
    sealed class GoldsOfSource
    {
        readonly DataBuild _build;
        readonly string _source;
        readonly string? _outputsFile;
        readonly Dictionary<string, string>? _golds;
        readonly HashSet<string> _seen = [];

        public GoldsOfSource(DataBuild build, string source)
        {
            _build = build;
            _source = source;
            _outputsFile = build._options.OutputFiles.GetValueOrDefault(source);
            if (_outputsFile is null)
            {
                return;
            }

            using var tokens = new JsonTokenStream(_outputsFile);
            var golds = new LampFileReader(tokens, build.Task, build._problems.Add).ReadGolds();
            var byId = golds.GroupBy(gold => WholeNumber.Shorten(gold.Key), gold => gold.Value);
            _golds = byId.ToDictionary(same => same.Key, same => same.First());
        }

        /// <summary>The gold of a question, empty where there is none; false where its id was there before.</summary>
        public bool Take(LampQuery query, out string gold)
        {
            gold = _golds?.GetValueOrDefault(query.Id) ?? query.Gold;
            if (gold.Length == 0 && _golds is not null)
            {
                Report(query.Id, "no output for this question", "one", "Its history counts, the question is left out.");
            }

            return _seen.Add(query.Id);
        }

        /// <summary>Reports outputs to which no question was found.</summary>
        public void ReportUnused()
        {
            foreach (var id in _golds?.Keys.Where(id => !_seen.Contains(id)) ?? [])
            {
                var expected = $"a question of this id in {Path.GetFileName(_source)}";
                Report(id, "an output without a question", expected, "The output is left out.");
            }
        }

        void Report(string item, string found, string expected, string advice) =>
            _build._problems.Add(new(new() { File = _outputsFile!, Item = item }, found, expected, advice));
    }
}

/// <summary>Sorts histories by the dates of their items.</summary>
sealed class ChronologicalOrder(BuildOptions options, Action<DataFileException> onProblem)
{
    /// <summary>Fields in which the published files date an item.</summary>
    static readonly string[] DateFields = ["date", "timestamp", "unixReviewTime", "reviewTime", "created_utc", "year"];

    /// <summary>The items, oldest first; null where not all of them have a date.</summary>
    /// <exception cref="DataFileException">The order of day and month in the user's dates is unclear.</exception>
    public IReadOnlyList<HistoryItem>? Sort(LampUser user)
    {
        var field = options.DateField ?? DateFields.FirstOrDefault(name => HasField(user, name));
        if (field is null)
        {
            return null;
        }

        var texts = user.History.Select(item => FindDate(user, item, field)).ToList();
        var parser = new DateColumnParser(texts, options.DateOrder);
        var dates = texts.Select(text => parser.Parse(text.Text)).ToList();
        var undated = dates.IndexOf(null);
        if (undated < 0)
        {
            return [.. user.History.Zip(dates).OrderBy(pair => pair.Second).Select(pair => pair.First)];
        }

        var (location, found) = texts[undated];
        onProblem(
            new(
                location,
                found.Length > 0 ? $"\"{found}\"" : "no date",
                "a date, as other items of this user have one",
                "The user's items stay in the order of the file."
            )
        );
        return null;
    }

    static bool HasField(LampUser user, string name) => user.History.Any(item => item.Fields.ContainsKey(name));

    (DataFileLocation Location, string Text) FindDate(LampUser user, HistoryItem item, string field)
    {
        var location = new DataFileLocation
        {
            File = options.SourceNames,
            User = user.Id,
            Item = item.Id,
            Field = field,
        };
        return (location, item.Fields.GetValueOrDefault(field, ""));
    }
}
