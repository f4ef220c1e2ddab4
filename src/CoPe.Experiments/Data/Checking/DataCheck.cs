using CoPe.Chat;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>What a check reads, and what it checks it against.</summary>
sealed record CheckOptions
{
    /// <summary>The task.</summary>
    public required TaskDefinition Definition { get; init; }

    /// <summary>File of the test users; null where there is none.</summary>
    public string? UsersFile { get; init; }

    /// <summary>File of the other users; null where there is none.</summary>
    public string? OthersFile { get; init; }

    /// <summary>Label file; null where there is none.</summary>
    public string? LabelsFile { get; init; }

    /// <summary>Files that a run needs and that are not there.</summary>
    public IReadOnlyList<string> MissingFiles { get; init; } = [];

    /// <summary>Counts tokens; null counts words alone.</summary>
    public ConversationEncoder? Encoder { get; init; }

    /// <summary>Words after which a field is cut, as in <c>sft.max_words</c>.</summary>
    public int MaxWords { get; init; } = 768;

    /// <summary>Tokens after which an example is cut, as in <c>sft.cut_off</c>.</summary>
    public int CutOff { get; init; } = 2048;

    /// <summary>Folder of a clean copy; null makes none.</summary>
    public string? CleanCopyFolder { get; init; }

    /// <summary>Findings kept for each rule; all are counted.</summary>
    public int FindingsPerRule { get; init; } = 1000;

    /// <summary>Receives the progress of the work.</summary>
    public IProgress<StageProgress>? Progress { get; init; }

    /// <summary>Cancels the work.</summary>
    public CancellationToken CancellationToken { get; init; }
}

/// <summary>
/// Reads a task's files to their end, whatever is wrong in them, and reports it: schema, duplicates, leaks between
/// histories and queries, faulty texts, languages, lengths, and what a run will cut. Users are read one at a time; of
/// all others only ids and 16 bytes per text are held.
/// </summary>
sealed class DataCheck
{
    /// <summary>The stage that progress names.</summary>
    public const string StageName = "check";

    readonly CheckOptions _options;
    readonly CheckContext _context;
    readonly DataProgress _progress;
    readonly List<CheckedFile> _files = [];
    readonly List<string> _copies = [];
    bool _isUnreadable;

    DataCheck(CheckOptions options)
    {
        _options = options;
        _progress = new(options.Progress, options.CancellationToken);
        var findings = new CheckFindings(options.FindingsPerRule);
        var golds = ReadGolds(findings);
        _context = new()
        {
            Definition = options.Definition,
            Findings = findings,
            Statistics = new(options),
            Index = new(options.Definition),
            Golds = golds,
            UnusedLabels = [.. golds.Keys],
        };
    }

    /// <summary>Checks the files, and with <see cref="CheckOptions.CleanCopyFolder"/> writes the clean copy.</summary>
    /// <param name="options">What is checked.</param>
    /// <param name="contextLength">Positions of the model, where one is given.</param>
    public static CheckReport Run(CheckOptions options, int? contextLength = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        return new DataCheck(options).Run(contextLength);
    }

    CheckReport Run(int? contextLength)
    {
        var queries = CheckFiles();
        ReportUnusedLabels();
        ReportMissingFiles();
        var isFixed = _options.CleanCopyFolder is not null && CompleteCleanCopy(queries);
        var statistics = _context.Statistics;
        return new()
        {
            Task = _options.Definition.Task.Name,
            Files = _files,
            Findings = _context.Findings,
            Words = statistics.Words,
            Tokens = statistics.Tokens,
            Languages = statistics.Languages,
            Truncations = [.. statistics.DescribeTruncations(contextLength)],
            IsFixed = isFixed,
        };
    }

    /// <summary>Checks the files of users; the queries of the test users that can be used are returned.</summary>
    List<LampQuery> CheckFiles()
    {
        var queries = new List<LampQuery>();
        if (_options.UsersFile is not null)
        {
            // The test users' queries must be known before the first history is checked.
            foreach (var user in ReadUsers(_options.UsersFile, report: false))
            {
                IndexTestUser(user);
            }

            CheckFile(_options.UsersFile, isTest: true, LampFiles.UsersFile, user => queries.AddRange(user.Queries));
        }

        if (_options.OthersFile is not null)
        {
            CheckFile(_options.OthersFile, isTest: false, LampFiles.OthersFile, _ => { });
        }

        return queries;
    }

    void ReportUnusedLabels()
    {
        if (_options.UsersFile is null)
        {
            return;
        }

        foreach (var id in _context.UnusedLabels.Order(StringComparer.Ordinal))
        {
            var location = new DataFileLocation { File = _options.LabelsFile!, Item = id };
            _context.Findings.Add(CheckRules.LabelUnused, location, "no query has this id");
        }
    }

    void ReportMissingFiles()
    {
        foreach (var missing in _options.MissingFiles)
        {
            var detail = Directory.Exists(missing) ? "a folder in its place" : "no such file";
            _context.Findings.Add(CheckRules.MissingFile, new() { File = missing }, detail);
        }
    }

    /// <summary>Writes the golds of the clean copy; removes the copy and returns false where it is not whole.</summary>
    bool CompleteCleanCopy(List<LampQuery> queries)
    {
        var isEmpty = _copies.Count == 0 || _files.Any(file => file.Users == 0);
        if (_isUnreadable || isEmpty || _options.MissingFiles.Count > 0)
        {
            // Half a copy would be taken for a whole one.
            foreach (var copy in _copies)
            {
                AtomicFile.Remove(copy);
            }

            return false;
        }

        if (_options.UsersFile is not null)
        {
            LampFileWriter.WriteGolds(CleanCopyOf(LampFiles.LabelsFile), _options.Definition.Task, queries);
        }

        return true;
    }

    void IndexTestUser(LampUser user)
    {
        _context.TestUsers.Add(user.Id);
        _context.Index.Add(user, query => _context.Golds.GetValueOrDefault(query.Id, query.Gold));
    }

    /// <summary>Checks a file of users, and writes its clean copy where one is wanted.</summary>
    void CheckFile(string path, bool isTest, string name, Action<LampUser> onUsable)
    {
        var file = new CheckedFile { File = path };
        _files.Add(file);
        var check = new UserCheck(file, isTest, _context);
        var clean = ReadUsers(path, report: true)
            .Select(check.Clean)
            .OfType<LampUser>()
            .Select(user =>
            {
                onUsable(user);
                return user;
            });
        if (_options.CleanCopyFolder is null)
        {
            foreach (var _ in clean) { }
        }
        else
        {
            try
            {
                LampFileWriter.WriteUsers(CleanCopyOf(name), RequireReadable(clean));
                _copies.Add(CleanCopyOf(name));
            }
            catch (DataFileException) when (_isUnreadable)
            {
                // Reported where it was found; the rest of the file cannot be copied.
            }
        }

        check.Finish();
        if (file.Users == 0 && !_isUnreadable)
        {
            _context.Findings.Add(CheckRules.NoUser, new() { File = path }, "no user who can be used");
        }
    }

    /// <summary>The users of a file up to where it is no JSON any more.</summary>
    /// <param name="path">The file.</param>
    /// <param name="report">Whether faults become findings; a file is read twice, and reported once.</param>
    IEnumerable<LampUser> ReadUsers(string path, bool report)
    {
        Action<DataFileException> onProblem = report
            ? error => AddFinding(_context.Findings, CheckRules.Schema, error)
            : _ => { };
        using var tokens = new JsonTokenStream(path);
        using var users = new LampFileReader(tokens, _options.Definition.Task, onProblem).ReadUsers().GetEnumerator();
        while (true)
        {
            try
            {
                if (!users.MoveNext())
                {
                    yield break;
                }
            }
            catch (DataFileException error)
            {
                _isUnreadable = true;
                if (report)
                {
                    AddFinding(_context.Findings, CheckRules.Unreadable, error);
                }

                yield break;
            }

            _progress.ReportRead(StageName, path, tokens.BytesRead, tokens.Length);
            yield return users.Current;
        }
    }

    IEnumerable<LampUser> RequireReadable(IEnumerable<LampUser> users)
    {
        foreach (var user in users)
        {
            yield return user;
        }

        if (_isUnreadable)
        {
            throw new DataFileException(
                new() { File = _options.CleanCopyFolder! },
                "a file that cannot be read to its end",
                "a whole one",
                "Make it again."
            );
        }
    }

    Dictionary<string, string> ReadGolds(CheckFindings findings)
    {
        if (_options.LabelsFile is null)
        {
            return [];
        }

        using var tokens = new JsonTokenStream(_options.LabelsFile);
        try
        {
            void OnProblem(DataFileException error) => AddFinding(findings, CheckRules.Schema, error);
            return new LampFileReader(tokens, _options.Definition.Task, OnProblem).ReadGolds();
        }
        catch (DataFileException error)
        {
            _isUnreadable = true;
            AddFinding(findings, CheckRules.Unreadable, error);
            return [];
        }
    }

    static void AddFinding(CheckFindings findings, CheckRule rule, DataFileException error) =>
        findings.Add(rule, error.Location, $"found {error.Found}, expected {error.Expected}");

    string CleanCopyOf(string name) => Path.Combine(_options.CleanCopyFolder!, _options.Definition.Task.Name, name);
}
