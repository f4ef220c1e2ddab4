using CoPe.Chat;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Checking;

/// <summary>What is checked against what.</summary>
public sealed record CheckOptions
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

    /// <summary>Places kept for each rule; all are counted.</summary>
    public int FindingsPerRule { get; init; } = 1000;

    /// <summary>Told of the work.</summary>
    public IProgress<StageProgress>? Progress { get; init; }

    /// <summary>Asks for an early end.</summary>
    public CancellationToken CancellationToken { get; init; }
}

/// <summary>
/// Reads a task's files to their end, whatever is wrong in them, and says what: schema, duplicates, leaks between
/// histories and queries, faulty texts, languages, lengths, and what a run will cut.
/// Users are read one at a time; of all others only ids and 16 bytes a text are held.
/// </summary>
public sealed class DataCheck
{
    /// <summary>The stage that progress is told of.</summary>
    public const string StageName = "check";

    readonly CheckOptions _options;
    readonly CheckContext _context;
    readonly DataProgress _progress;
    readonly List<CheckedFile> _files = [];
    readonly List<string> _copies = [];
    bool _isUnreadable;

    DataCheck(CheckOptions options)
    {
        (_options, _progress) = (options, new(options.Progress, options.CancellationToken));
        var findings = new CheckFindings(options.FindingsPerRule);
        var golds = Labels(findings);
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
        var check = new DataCheck(options);
        var isFixed = check.Run();
        return new()
        {
            Task = options.Definition.Task.Name,
            Files = check._files,
            Findings = check._context.Findings,
            Words = check._context.Statistics.Words,
            Tokens = check._context.Statistics.Tokens,
            Languages = check._context.Statistics.Languages,
            Truncations = [.. check._context.Statistics.DescribeTruncations(contextLength)],
            IsFixed = isFixed,
        };
    }

    bool Run()
    {
        // The test users' queries must be known before the first history is looked at.
        if (_options.UsersFile is { } users)
        {
            foreach (var user in ReadUsers(users, report: false))
            {
                Remember(user);
            }
        }

        var golds = new List<LampQuery>();
        if (_options.UsersFile is { } test)
        {
            Check(test, isTest: true, LampFiles.UsersFile, user => golds.AddRange(user.Queries));
        }

        if (_options.OthersFile is { } others)
        {
            Check(others, isTest: false, LampFiles.OthersFile, _ => { });
        }

        foreach (
            var id in _context.UnusedLabels.Order(StringComparer.Ordinal).Where(_ => _options.UsersFile is not null)
        )
        {
            _context.Findings.Add(
                CheckRules.LabelUnused,
                new() { File = _options.LabelsFile!, Item = id },
                "no query has this id"
            );
        }

        foreach (var missing in _options.MissingFiles)
        {
            _context.Findings.Add(
                CheckRules.MissingFile,
                new() { File = missing },
                Directory.Exists(missing) ? "a folder in its place" : "no such file"
            );
        }

        if (_options.CleanCopyFolder is null)
        {
            return false;
        }

        if (
            _isUnreadable
            || _copies.Count == 0
            || _options.MissingFiles.Count > 0
            || _files.Any(file => file.Users == 0)
        )
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
            LampFileWriter.WriteGolds(Target(LampFiles.LabelsFile), _options.Definition.Task, golds);
        }

        return true;
    }

    void Remember(LampUser user)
    {
        _context.TestUsers.Add(user.Id);
        _context.Index.Add(user, query => _context.Golds.GetValueOrDefault(query.Id, query.Gold));
    }

    /// <summary>Checks a file, and writes its clean copy where one is wanted.</summary>
    void Check(string path, bool isTest, string name, Action<LampUser> used)
    {
        var file = new CheckedFile { File = path };
        _files.Add(file);
        var check = new UserCheck(file, isTest, _context);
        var clean = ReadUsers(path, report: true)
            .Select(check.Clean)
            .OfType<LampUser>()
            .Select(user =>
            {
                used(user);
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
                LampFileWriter.WriteUsers(Target(name), RequireReadable(clean));
                _copies.Add(Target(name));
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
    IEnumerable<LampUser> ReadUsers(string path, bool report)
    {
        using var tokens = new JsonTokenStream(path);
        using var users = new LampFileReader(tokens, _options.Definition.Task, error => Report(error, report))
            .ReadUsers()
            .GetEnumerator();
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
                    _context.Findings.Add(
                        CheckRules.Unreadable,
                        error.Location,
                        $"found {error.Found}, expected {error.Expected}"
                    );
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

    void Report(DataFileException error, bool report)
    {
        if (report)
        {
            _context.Findings.Add(CheckRules.Schema, error.Location, $"found {error.Found}, expected {error.Expected}");
        }
    }

    Dictionary<string, string> Labels(CheckFindings findings)
    {
        if (_options.LabelsFile is not { } path)
        {
            return [];
        }

        using var tokens = new JsonTokenStream(path);
        try
        {
            return new LampFileReader(
                tokens,
                _options.Definition.Task,
                error =>
                    findings.Add(CheckRules.Schema, error.Location, $"found {error.Found}, expected {error.Expected}")
            ).ReadGolds();
        }
        catch (DataFileException error)
        {
            _isUnreadable = true;
            findings.Add(CheckRules.Unreadable, error.Location, $"found {error.Found}, expected {error.Expected}");
            return [];
        }
    }

    string Target(string name) => Path.Combine(_options.CleanCopyFolder!, _options.Definition.Task.Name, name);
}
