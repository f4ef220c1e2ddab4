namespace CoPe.Data.Checking;

/// <summary>
/// Reads a task's files to their end, whatever is wrong in them, and says what: schema, duplicates, leaks between histories and queries, faulty texts, languages, lengths, and what a run will cut.
/// Users are read one at a time; of all others only ids and 16 bytes a text are held.
/// </summary>
public sealed class DataCheck
{
    /// <summary>The stage that progress is told of.</summary>
    public const string Stage = "check";

    readonly CheckOptions options;
    readonly CheckContext context;
    readonly DataProgress progress;
    readonly List<CheckedFile> files = [];
    readonly List<string> copies = [];
    bool isUnreadable;

    DataCheck(CheckOptions options)
    {
        (this.options, progress) = (options, new(options.Progress, options.Cancellation));
        var findings = new CheckFindings(options.PlacesPerRule);
        var golds = Labels(findings);
        context = new()
        {
            Definition = options.Definition, Findings = findings, Statistics = new(options), Index = new(options.Definition), Golds = golds, UnusedLabels = [.. golds.Keys],
        };
    }

    /// <summary>Checks the files, and with <see cref="CheckOptions.Fix"/> writes the clean copy.</summary>
    /// <param name="options">What is checked.</param>
    /// <param name="contextLength">Positions of the model, where one is given.</param>
    public static CheckReport Run(CheckOptions options, int? contextLength = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        var check = new DataCheck(options);
        var isFixed = check.Run();
        return new()
        {
            Task = options.Definition.Task.Name, Files = check.files, Findings = check.context.Findings, Words = check.context.Statistics.Words, Tokens = check.context.Statistics.Tokens,
            Languages = check.context.Statistics.Languages, Truncations = [.. check.context.Statistics.Truncations(contextLength)], IsFixed = isFixed,
        };
    }

    bool Run()
    {
        // The test users' queries must be known before the first history is looked at.
        if (options.Users is { } users) foreach (var user in Readable(users, report: false)) Remember(user);
        var golds = new List<LampQuery>();
        if (options.Users is { } test) Check(test, isTest: true, LampFiles.UsersFile, user => golds.AddRange(user.Queries));
        if (options.Others is { } others) Check(others, isTest: false, LampFiles.OthersFile, _ => { });
        foreach (var id in context.UnusedLabels.Order(StringComparer.Ordinal).Where(_ => options.Users is not null))
            context.Findings.Add(CheckRules.LabelUnused, new() { File = options.Labels!, Item = id }, "no query has this id");
        foreach (var missing in options.Missing)
            context.Findings.Add(CheckRules.MissingFile, new() { File = missing }, Directory.Exists(missing) ? "a folder in its place" : "no such file");
        if (options.Fix is null) return false;
        if (isUnreadable || copies.Count == 0 || options.Missing.Count > 0 || files.Any(file => file.Users == 0))
        {
            // Half a copy would be taken for a whole one.
            foreach (var copy in copies) AtomicFile.Remove(copy);
            return false;
        }

        if (options.Users is not null) LampFileWriter.WriteGolds(Target(LampFiles.LabelsFile), options.Definition.Task, golds);
        return true;
    }

    void Remember(LampUser user)
    {
        context.TestUsers.Add(user.Id);
        context.Index.Add(user, query => context.Golds.GetValueOrDefault(query.Id, query.Gold));
    }

    /// <summary>Checks a file, and writes its clean copy where one is wanted.</summary>
    void Check(string path, bool isTest, string name, Action<LampUser> used)
    {
        var file = new CheckedFile { File = path };
        files.Add(file);
        var check = new UserCheck(file, isTest, context);
        var clean = Readable(path, report: true).Select(check.Clean).OfType<LampUser>().Select(user =>
        {
            used(user);
            return user;
        });
        if (options.Fix is null) foreach (var _ in clean) { }
        else
        {
            try
            {
                LampFileWriter.WriteUsers(Target(name), Whole(clean));
                copies.Add(Target(name));
            }
            catch (DataFileException) when (isUnreadable)
            {
                // Reported where it was found; the rest of the file cannot be copied.
            }
        }

        check.End();
        if (file.Users == 0 && !isUnreadable) context.Findings.Add(CheckRules.NoUser, new() { File = path }, "no user who can be used");
    }

    /// <summary>The users of a file up to where it is no JSON any more.</summary>
    IEnumerable<LampUser> Readable(string path, bool report)
    {
        using var tokens = new JsonTokenStream(path);
        using var users = new LampFileReader(tokens, options.Definition.Task, error => Report(error, report)).Users().GetEnumerator();
        while (true)
        {
            try
            {
                if (!users.MoveNext()) yield break;
            }
            catch (DataFileException error)
            {
                isUnreadable = true;
                if (report) context.Findings.Add(CheckRules.Unreadable, error.Place, $"found {error.Found}, expected {error.Expected}");
                yield break;
            }

            progress.Read(Stage, path, tokens.BytesRead, tokens.Length);
            yield return users.Current;
        }
    }

    IEnumerable<LampUser> Whole(IEnumerable<LampUser> users)
    {
        foreach (var user in users) yield return user;
        if (isUnreadable) throw new DataFileException(new() { File = options.Fix! }, "a file that cannot be read to its end", "a whole one", "Make it again.");
    }

    void Report(DataFileException error, bool report)
    {
        if (report) context.Findings.Add(CheckRules.Schema, error.Place, $"found {error.Found}, expected {error.Expected}");
    }

    Dictionary<string, string> Labels(CheckFindings findings)
    {
        if (options.Labels is not { } path) return [];
        using var tokens = new JsonTokenStream(path);
        try
        {
            return new LampFileReader(tokens, options.Definition.Task, error => findings.Add(CheckRules.Schema, error.Place, $"found {error.Found}, expected {error.Expected}")).Golds();
        }
        catch (DataFileException error)
        {
            isUnreadable = true;
            findings.Add(CheckRules.Unreadable, error.Place, $"found {error.Found}, expected {error.Expected}");
            return [];
        }
    }

    string Target(string name) => Path.Combine(options.Fix!, options.Definition.Task.Name, name);
}
