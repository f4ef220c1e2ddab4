using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Runs;

/// <summary>
/// A file or folder that a stage writes. Its kind says what of a user it holds and how that part is removed, so that
/// erasing a user needs no list of files.
/// </summary>
/// <param name="FullPath">The file or folder.</param>
public abstract record StageOutput(string FullPath)
{
    /// <summary>Whether it exists.</summary>
    public bool Exists => File.Exists(FullPath) || Directory.Exists(FullPath);

    /// <summary>Whether it depends on test users at all.</summary>
    internal virtual bool HoldsUsers => true;

    /// <summary>Whether it is nothing but parts of users, so that it can be merged from those of blocks.</summary>
    internal virtual bool FallsApart => false;

    /// <summary>Puts it together from those of blocks; may be repeated where it was interrupted.</summary>
    /// <param name="parts">The same output of each block, in their order.</param>
    internal virtual void Merge(IReadOnlyList<string> parts) =>
        throw new NotSupportedException($"{FullPath} does not fall apart by users");

    /// <summary>
    /// Whether its lines name the users. By them other parts of a user are recognized, so these files are edited last.
    /// </summary>
    internal virtual bool NamesUsers => false;

    /// <summary>Whether it holds the user in a way that cannot be removed: then the whole stage is.</summary>
    internal virtual bool IsInseparableFrom(UserIdentity user) => false;

    /// <summary>Folders of adapters in it.</summary>
    internal virtual IEnumerable<string> ListAdapterFolders() => [];

    /// <summary>
    /// Where it is written before it is renamed: there only while it is written, or after that was killed.
    /// </summary>
    internal virtual IEnumerable<string> ListTemporary() => [AtomicFile.GetAside(FullPath)];

    /// <summary>What it holds of a user.</summary>
    internal abstract IEnumerable<UserTrace> FindTraces(UserIdentity user);

    /// <summary>Removes the user's part, and texts of theirs elsewhere.</summary>
    internal abstract void RemoveUser(UserIdentity user);

    /// <summary>
    /// The paths that change with some users: their own, and files that hold others too, which are edited.
    /// </summary>
    internal virtual IEnumerable<ReplacedPath> ListUserPaths(IEnumerable<string> users) =>
        [new(FullPath, IsCopied: true)];

    /// <summary>Removes the parts of users who are gone or whose part is made again.</summary>
    internal abstract void RemoveUsers(LeavingUsers users);
}

/// <summary>An output that no test user is part of: the task-adaptive model, and the metrics of its training.</summary>
/// <param name="FullPath">The file or folder.</param>
public sealed record TaskOutput(string FullPath) : StageOutput(FullPath)
{
    internal override bool HoldsUsers => false;

    internal override IEnumerable<string> ListAdapterFolders() => Directory.Exists(FullPath) ? [FullPath] : [];

    internal override IEnumerable<UserTrace> FindTraces(UserIdentity user) => [];

    internal override void RemoveUser(UserIdentity user) { }

    internal override IEnumerable<ReplacedPath> ListUserPaths(IEnumerable<string> users) => [];

    internal override void RemoveUsers(LeavingUsers users) { }
}

/// <summary>A model trained on all users together.</summary>
/// <param name="FullPath">Folder of the adapter.</param>
public sealed record JointAdapter(string FullPath) : StageOutput(FullPath)
{
    internal override IEnumerable<string> ListAdapterFolders() => Directory.Exists(FullPath) ? [FullPath] : [];

    internal override bool IsInseparableFrom(UserIdentity user) => Exists;

    internal override IEnumerable<UserTrace> FindTraces(UserIdentity user) =>
        Exists ? [new(FullPath, "an adapter trained on everyone", 1)] : [];

    internal override void RemoveUser(UserIdentity user) => AtomicFile.Remove(FullPath);

    internal override IEnumerable<ReplacedPath> ListUserPaths(IEnumerable<string> users) => [new(FullPath)];

    internal override void RemoveUsers(LeavingUsers users) => AtomicFile.Remove(FullPath);
}

/// <summary>A folder with an adapter of each user.</summary>
/// <param name="FullPath">The folder.</param>
/// <param name="Kind">SFT or DPO, for messages.</param>
public sealed record UserAdapters(string FullPath, string Kind) : StageOutput(FullPath)
{
    /// <summary>
    /// Preference pairs that the adapters were trained on, where there are any. Where a pair of another user has a text
    /// of the erased one as its rejected answer, that user's adapter has learned from it.
    /// </summary>
    public UserLines? Pairs { get; init; }

    /// <summary>The folder of a user's adapter.</summary>
    public string GetFolder(string user) => Path.Combine(FullPath, RunDirectory.SafeName(user));

    internal override IEnumerable<string> ListAdapterFolders() =>
        Directory.Exists(FullPath)
            ? Directory
                .EnumerateDirectories(FullPath)
                .Where(folder => !folder.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal))
            : [];

    internal override bool FallsApart => true;

    /// <summary>The folders are renamed: there is room for one copy of each adapter alone.</summary>
    internal override void Merge(IReadOnlyList<string> parts)
    {
        AtomicFile.CreateFolder(FullPath);
        foreach (var folder in parts.SelectMany(part => new UserAdapters(part, Kind).ListAdapterFolders().ToList()))
        {
            AtomicFile.Move(folder, Path.Combine(FullPath, Path.GetFileName(folder)));
        }
    }

    internal override IEnumerable<string> ListTemporary() =>
        Directory.Exists(FullPath) ? Directory.EnumerateDirectories(FullPath, "*" + AtomicFile.TemporarySuffix) : [];

    internal override bool IsInseparableFrom(UserIdentity user) => Exists && Pairs?.BorrowsFrom(user) == true;

    internal override IEnumerable<UserTrace> FindTraces(UserIdentity user)
    {
        var folder = GetFolder(user.Id);
        if (Directory.Exists(folder))
        {
            yield return new(folder, $"the user's {Kind} adapter", Directory.EnumerateFiles(folder).Count());
        }

        if (IsInseparableFrom(user))
        {
            const string borrowed = "adapters of others, trained with a text of the user as a rejected answer";
            yield return new(FullPath, borrowed, 1);
        }
    }

    internal override void RemoveUser(UserIdentity user) => AtomicFile.Remove(GetFolder(user.Id));

    internal override IEnumerable<ReplacedPath> ListUserPaths(IEnumerable<string> users) =>
        users.Select(user => new ReplacedPath(GetFolder(user)));

    internal override void RemoveUsers(LeavingUsers users)
    {
        foreach (var user in users.Ids)
        {
            AtomicFile.Remove(GetFolder(user));
        }
    }
}

/// <summary>A file of JSON lines, each with the user it is about.</summary>
/// <param name="FullPath">The file.</param>
public sealed record UserLines(string FullPath) : StageOutput(FullPath)
{
    internal override bool NamesUsers => true;

    internal override bool FallsApart => true;

    internal override void Merge(IReadOnlyList<string> parts) =>
        AtomicFile.Write(
            FullPath,
            stream =>
            {
                foreach (var part in parts.Where(File.Exists))
                {
                    using var source = File.OpenRead(part);
                    source.CopyTo(stream);
                }
            }
        );

    /// <summary>Whether a line of another user holds a text of this one, as a borrowed rejected answer does.</summary>
    internal bool BorrowsFrom(UserIdentity user) =>
        ReadLines().Any(line => user.OwnsLine(line) && !user.IsNamedIn(line));

    internal override IEnumerable<UserTrace> FindTraces(UserIdentity user)
    {
        var count = ReadLines().Count(user.OwnsLine);
        return count > 0 ? [new(FullPath, "lines of the user, or with a text of theirs", count)] : [];
    }

    internal override void RemoveUser(UserIdentity user) => KeepLines(line => !user.OwnsLine(line));

    internal override void RemoveUsers(LeavingUsers users) =>
        KeepLines(line =>
            RecordedLine.Parse(line)?.GetTexts("user").FirstOrDefault() is { } user && !users.Ids.Contains(user)
        );

    void KeepLines(Func<string, bool> isKept)
    {
        var lines = ReadLines().ToList();
        var remaining = lines.Where(isKept).ToList();
        if (remaining.Count < lines.Count)
        {
            AtomicFile.WriteLines(FullPath, remaining);
        }
    }

    IEnumerable<string> ReadLines() => FileKinds.IsReadable(FullPath) ? File.ReadLines(FullPath) : [];
}

/// <summary>Predictions of all users in the benchmark's format.</summary>
/// <param name="FullPath">The file.</param>
public sealed record UserPredictions(string FullPath) : StageOutput(FullPath)
{
    JsonArrayFile Answers => new(FullPath, "golds");

    internal override bool FallsApart => true;

    internal override void Merge(IReadOnlyList<string> parts)
    {
        var files = parts.Select(PredictionFile.Read).ToList();
        var merged = files[0] with { Predictions = [.. files.SelectMany(file => file.Predictions)] };
        AtomicFile.CreateFolder(Path.GetDirectoryName(FullPath)!);
        merged.Write(FullPath);
    }

    /// <summary>Ids of the queries that have a prediction.</summary>
    internal IEnumerable<string> ReadQueryIds() => ReadAnswers().SelectMany(answer => answer?.GetTexts("id") ?? []);

    internal override IEnumerable<UserTrace> FindTraces(UserIdentity user)
    {
        var count = ReadAnswers().Count(user.OwnsPrediction);
        return count > 0 ? [new(FullPath, "answers to the user's queries", count)] : [];
    }

    internal override void RemoveUser(UserIdentity user) => RemoveAnswers(user.OwnsPrediction);

    internal override void RemoveUsers(LeavingUsers users) =>
        RemoveAnswers(answer =>
            answer?.GetTexts("id").FirstOrDefault() is not { } id || !users.KeptQueries.Contains(id)
        );

    void RemoveAnswers(Func<RecordedLine?, bool> isRemoved)
    {
        if (ReadAnswers().Any(isRemoved))
        {
            Answers.RemoveEntries(answer => isRemoved(RecordedLine.Parse(answer.Span)));
        }
    }

    /// <summary>The answers; null for what is none.</summary>
    IEnumerable<RecordedLine?> ReadAnswers() =>
        FileKinds.IsReadable(FullPath) ? Answers.ReadEntries().Select(answer => RecordedLine.Parse(answer.Span)) : [];
}

/// <summary>
/// Figures or pages over all users. They are removed with a user, and the stage writes them again from what is left
/// (<see cref="Stage.RebuildWithoutUser"/>).
/// </summary>
/// <param name="FullPath">The file.</param>
/// <param name="Description">What it holds of users, for messages.</param>
public sealed record UserFigures(string FullPath, string Description = "figures that include the user")
    : StageOutput(FullPath)
{
    internal override IEnumerable<UserTrace> FindTraces(UserIdentity user) =>
        Exists ? [new(FullPath, Description, 1)] : [];

    internal override void RemoveUser(UserIdentity user) => AtomicFile.Remove(FullPath);

    internal override void RemoveUsers(LeavingUsers users) => AtomicFile.Remove(FullPath);
}
