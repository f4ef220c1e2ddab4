namespace CoPe.Experiments.Runs;

/// <summary>Knows which stages of a run are whole and current, by their markers.</summary>
sealed class StageLedger
{
    readonly Pipeline _pipeline;
    readonly StageContext _context;
    readonly RunDirectory _run;
    readonly FileHashes _hashes;
    readonly StageUsers _users;
    readonly RecordedTaskPath _taskPath;
    readonly Dictionary<(StageId Stage, bool WithUsers), string> _stageHashes = [];

    public StageLedger(Pipeline pipeline, StageContext context)
    {
        _pipeline = pipeline;
        _context = context;
        _run = context.Run;
        _hashes = context.Workspace.Hashes;
        _users = new(pipeline, context, _hashes);
        _taskPath = new(pipeline, context.Run);
    }

    /// <summary>Where a stage stands under the context's recipe and files.</summary>
    public StageStatus GetStatus(Stage stage)
    {
        if (StageMarker.Read(_run.Marker(stage.Id)) is { } complete)
        {
            return DescribeComplete(stage, complete);
        }

        if (StageMarker.Read(_run.StartedMarker(stage.Id)) is not { } started)
        {
            return new(stage.Id, StageState.Missing, []);
        }

        var changes = FindChanges(stage, started);
        var state =
            changes.Count > 0 ? StageState.Stale
            : started.Removing is null ? StageState.Interrupted
            : StageState.UsersChanged;
        return new(stage.Id, state, Describe(changes))
        {
            Changes = changes,
            TimeSpent = TimeSpan.FromSeconds(started.Seconds) + GetUnrecordedTime(stage),
            Users = changes.Count == 0 ? FindUserChanges(stage, started) : UserChanges.None,
        };
    }

    /// <summary>
    /// Opens a stage: what is left of other inputs is removed, and a marker says from which inputs work begins. The
    /// time of a session that was killed counts into the marker of the one that resumes it.
    /// </summary>
    /// <param name="stage">The stage.</param>
    /// <param name="keepPartial">
    /// Keeps what is there of the users who have not changed, of a stage that was interrupted or is complete for other
    /// users.
    /// </param>
    public StageMarker Start(Stage stage, bool keepPartial)
    {
        if (keepPartial)
        {
            return StartPartial(stage);
        }

        Discard(stage);
        var inputs = CollectInputs(stage);
        var started = new StageMarker
        {
            Stage = stage.Name,
            Inputs = inputs,
            Hash = StageMarker.ComputeHash(inputs),
            Started = _context.Time.GetUtcNow(),
        };
        started = WithUsers(stage, started);
        started.Write(_run.StartedMarker(stage.Id));
        return started;
    }

    /// <summary>
    /// Takes up a stage with what it has. The marker of the beginning comes first and names the users whose parts leave,
    /// so that a removal that is interrupted is finished by the next session.
    /// </summary>
    StageMarker StartPartial(Stage stage)
    {
        var path = _run.StartedMarker(stage.Id);
        var complete = StageMarker.Read(_run.Marker(stage.Id));
        var earlier = complete ?? StageMarker.Read(path)!;
        var before = complete ?? earlier with { Seconds = earlier.Seconds + GetUnrecordedTime(stage).TotalSeconds };
        before = before with { Finished = null, Outputs = [] };
        var changes = FindUserChanges(stage, before);
        var leaving = changes.Changed.Concat(changes.Gone).Union(before.Removing ?? []).ToList();
        if (complete is null && !changes.Any && before.Removing is null)
        {
            before.Write(path);
            return before;
        }

        var started = WithUsers(stage, before with { Removing = leaving });
        started.Write(path);
        AtomicFile.Remove(_run.Marker(stage.Id));
        RemoveParts(
            stage,
            LeavingUsers.Create(leaving, _context.Workspace.Dataset, before.Users?.Keys.AsEnumerable() ?? [])
        );
        started = started with { Removing = null };
        started.Write(path);
        return started;
    }

    /// <summary>
    /// Removes the users' parts, and what is begun: chunks and groups are those of other users. What is paid for stays.
    /// </summary>
    void RemoveParts(Stage stage, LeavingUsers leaving)
    {
        var partial = stage.PartialOutputs(_run).ToList();
        foreach (var output in stage.GetUserOutputs(_run).Concat(partial).ToList())
        {
            output.RemoveUsers(leaving);
        }

        var kept = partial.Select(output => output.FullPath).ToHashSet();
        var checkpoints = _run.Checkpoints(stage.Id);
        if (!Directory.Exists(checkpoints))
        {
            return;
        }

        foreach (
            var entry in Directory.EnumerateFileSystemEntries(checkpoints).Where(path => !kept.Contains(path)).ToList()
        )
        {
            AtomicFile.Remove(entry);
        }
    }

    /// <summary>Gives a complete stage's marker what a marker of today has and an earlier one lacks.</summary>
    public void Confirm(Stage stage)
    {
        var path = _run.Marker(stage.Id);
        if (
            !_users.IsSeparable(stage)
            || _users.Source is null
            || StageMarker.Read(path) is not { } marker
            || (marker.Users is not null && marker.UsersSource == _users.Source)
        )
        {
            return;
        }

        var inputs = CollectInputs(stage);
        WithUsers(stage, marker with { Inputs = inputs, Hash = StageMarker.ComputeHash(inputs) }).Write(path);
    }

    /// <summary>
    /// Removes what a stage made or began, its marker first. What was worth keeping has been set aside before
    /// (<see cref="RunReplacement"/>).
    /// </summary>
    public void Discard(Stage stage) => Discard(stage, _run);

    /// <summary>What a rebuild of a stage replaces: its outputs and markers, whether they exist or not.</summary>
    public IEnumerable<ReplacedPath> ListReplaced(Stage stage) =>
        GetMarkers(stage, _run).Concat(GetOwnedPaths(stage)).Select(path => new ReplacedPath(path));

    /// <summary>
    /// What an update of a stage for other users edits: the parts of these, and copies of the files that hold others too.
    /// </summary>
    public IEnumerable<ReplacedPath> ListUpdated(Stage stage, UserChanges users)
    {
        List<string> ids = [.. users.New, .. users.Changed, .. users.Gone];
        return
        [
            .. GetMarkers(stage, _run).Select(path => new ReplacedPath(path, IsCopied: true)),
            .. stage.GetUserOutputs(_run).SelectMany(output => output.ListUserPaths(ids)),
            new(_run.Checkpoints(stage.Id)),
        ];
    }

    /// <summary>Marks an update as begun: from here on the stage is not complete, and parts of users may be missing.</summary>
    public void BeginUpdate(Stage stage)
    {
        var earlier = StageMarker.Read(_run.Marker(stage.Id)) ?? StageMarker.Read(_run.StartedMarker(stage.Id))!;
        var changes = FindUserChanges(stage, earlier);
        var leaving = changes.Changed.Concat(changes.Gone).Union(earlier.Removing ?? []).ToList();
        var begun = earlier with { Finished = null, Outputs = [], Removing = leaving };
        begun.Write(_run.StartedMarker(stage.Id));
        AtomicFile.Remove(_run.Marker(stage.Id));
    }

    /// <summary>Puts what an unfinished update has made in the place of what is there, the markers last.</summary>
    public void ResumeUpdate(Stage stage)
    {
        var markers = GetMarkers(stage, _run).ToList();
        foreach (var place in ListUnfinishedParts(stage).Except(markers).ToList())
        {
            MoveFromUnfinished(place);
        }

        foreach (var marker in markers)
        {
            MoveFromUnfinished(marker);
        }
    }

    void MoveFromUnfinished(string place)
    {
        AtomicFile.Remove(place);
        var source = Path.Combine(_run.Unfinished.Root, _run.GetRelativePath(place));
        if (Path.Exists(source))
        {
            AtomicFile.Move(source, place);
        }
    }

    /// <summary>
    /// What an unfinished update has of a stage, by the places where it belongs: of folders that hold users, the users'.
    /// </summary>
    public IEnumerable<string> ListUnfinishedParts(Stage stage)
    {
        var adapters = stage
            .Outputs(_run.Unfinished)
            .OfType<UserAdapters>()
            .Select(output => output.FullPath)
            .ToHashSet();
        return ListUnfinished(stage)
            .SelectMany(place =>
            {
                var source = Path.Combine(_run.Unfinished.Root, _run.GetRelativePath(place));
                return adapters.Contains(source)
                    ? Directory
                        .EnumerateFileSystemEntries(source)
                        .Select(path => Path.Combine(place, Path.GetFileName(path)))
                    : [place];
            });
    }

    /// <summary>Whether an unfinished rebuild has made or begun a stage from the inputs that it would have now.</summary>
    public bool HasUnfinished(Stage stage)
    {
        var unfinished = _run.Unfinished;
        var marker =
            StageMarker.Read(unfinished.Marker(stage.Id)) ?? StageMarker.Read(unfinished.StartedMarker(stage.Id));
        return marker is not null && FindChanges(stage, marker).Count == 0 && !FindUserChanges(stage, marker).Any;
    }

    /// <summary>What an unfinished rebuild has of a stage, by the places where it belongs in the run.</summary>
    public IEnumerable<string> ListUnfinished(Stage stage) =>
        GetMarkers(stage, _run.Unfinished)
            .Concat(GetOwnedPaths(stage, _run.Unfinished))
            .Where(Path.Exists)
            .Select(path => Path.Combine(_run.Root, _run.Unfinished.GetRelativePath(path)));

    /// <summary>Removes what an unfinished rebuild has of a stage; returns whether there was anything.</summary>
    public bool DiscardUnfinished(Stage stage)
    {
        var hasAny = ListUnfinished(stage).Any();
        if (hasAny)
        {
            Discard(stage, _run.Unfinished);
        }

        return hasAny;
    }

    static void Discard(Stage stage, RunDirectory run)
    {
        foreach (var path in GetMarkers(stage, run).Concat(GetOwnedPaths(stage, run)))
        {
            AtomicFile.Remove(path);
        }
    }

    static IEnumerable<string> GetMarkers(Stage stage, RunDirectory run) =>
        [run.Marker(stage.Id), run.StartedMarker(stage.Id)];

    /// <summary>Records the time spent in a stage that did not come to its end.</summary>
    public void RecordInterruption(Stage stage, StageMarker started)
    {
        try
        {
            started.Write(_run.StartedMarker(stage.Id));
        }
        catch (IOException)
        {
            // The marker of the beginning still stands; only its time is short. What stopped the stage is what the
            // person must be told.
        }
    }

    /// <summary>Closes a stage that is whole, with its marker last.</summary>
    public void Complete(Stage stage, StageMarker started)
    {
        if (stage.Outputs(_run).FirstOrDefault(output => !output.Exists) is { } missing)
        {
            throw new InvalidOperationException($"stage '{stage.Name}' ended without writing {missing.FullPath}");
        }

        var complete = started with { Finished = _context.Time.GetUtcNow(), Outputs = GetOutputSizes(stage) };
        complete.Write(_run.Marker(stage.Id));
        AtomicFile.Remove(_run.StartedMarker(stage.Id));
        AtomicFile.Remove(_run.Checkpoints(stage.Id));
    }

    /// <summary>
    /// Copies a stage that is missing or stale here from a run where it is whole and made from the same inputs, its
    /// marker last.
    /// </summary>
    public bool ReuseFrom(Stage stage, IReadOnlyList<RunDirectory> others)
    {
        if (others.Count == 0 || GetStatus(stage).State == StageState.Complete)
        {
            return false;
        }

        foreach (var other in others)
        {
            if (FindReusable(stage, other) is { } marker)
            {
                Discard(stage);
                CopyOutputs(marker, other);
                marker.Write(_run.Marker(stage.Id));
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Records inputs and outputs as they are now, after a user was removed from both: the stage stays complete, or
    /// complete for the users it had.
    /// </summary>
    public void RefreshMarker(Stage stage)
    {
        var path = _run.Marker(stage.Id);
        var inputs = CollectInputs(stage);
        var refreshed = RemoveForgotten(stage, StageMarker.Read(path)!) with
        {
            Inputs = inputs,
            Hash = StageMarker.ComputeHash(inputs),
            Outputs = GetOutputSizes(stage),
        };
        refreshed.Write(path);
    }

    /// <summary>Takes forgotten users out of the marker of a stage that was begun and is not complete.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="hasUsers">Whether the run has users left; otherwise nothing of the stage is.</param>
    public void RefreshStartedMarker(Stage stage, bool hasUsers)
    {
        var path = _run.StartedMarker(stage.Id);
        if (StageMarker.Read(path) is not { Users: not null } started)
        {
            return;
        }

        if (hasUsers)
        {
            RemoveForgotten(stage, started).Write(path);
        }
        else
        {
            AtomicFile.Remove(path);
        }
    }

    /// <summary>Whether a complete stage has all users of the run, and no others but forgotten ones.</summary>
    public bool HasAllUsers(Stage stage) =>
        StageMarker.Read(_run.Marker(stage.Id)) is { } marker
        && !FindUserChanges(stage, RemoveForgotten(stage, marker)).Any;

    StageMarker RemoveForgotten(Stage stage, StageMarker marker)
    {
        if (!_users.IsSeparable(stage))
        {
            return marker with { Users = null, UsersSource = null };
        }

        if (marker.Users is null)
        {
            return WithUsers(stage, marker);
        }

        var forgotten = ForgottenUsers.Read(_run);
        var remaining = marker with
        {
            Users = new(
                marker.Users.Where(user => !forgotten.Contains(user.Key)).ToDictionary(),
                StringComparer.Ordinal
            ),
            Removing = marker.Removing?.Where(user => !forgotten.Contains(user)).ToList(),
            UsersSource = null,
        };
        return FindUserChanges(stage, remaining).Any ? remaining : remaining with { UsersSource = _users.Source };
    }

    /// <summary>A marker with the users of the run now, where the stage's outputs fall apart by users.</summary>
    StageMarker WithUsers(Stage stage, StageMarker marker) =>
        _users.IsSeparable(stage) && _users.Source is { } source
            ? marker with
            {
                Users = _users.CreateMap(stage, marker.Users),
                UsersSource = source,
            }
            : marker;

    UserChanges FindUserChanges(Stage stage, StageMarker marker) =>
        marker.Users is not null && _users.IsSeparable(stage) ? _users.FindChanges(stage, marker) : UserChanges.None;

    StageStatus DescribeComplete(Stage stage, StageMarker marker)
    {
        var changes = FindChanges(stage, marker);
        var damage = marker.FindDamage(_run, stage.Id);
        List<string> reasons = [.. Describe(changes), .. damage.Select(file => $"{file} is missing or damaged")];
        var isLost = damage.Count > 0 && damage.Count == marker.Outputs.Count;
        var seconds = isLost ? 0 : marker.Seconds;
        if (reasons.Count > 0)
        {
            return new(stage.Id, StageState.Stale, reasons)
            {
                Changes = changes,
                TimeSpent = TimeSpan.FromSeconds(seconds),
            };
        }

        var users = FindUserChanges(stage, marker);
        if (!users.Any)
        {
            return new(stage.Id, StageState.Complete, []) { TimeSpent = TimeSpan.FromSeconds(seconds) };
        }

        // What is lost is the share of those who changed or are gone.
        var share = (double)(users.Changed.Count + users.Gone.Count) / Math.Max(1, marker.Users!.Count);
        return new(stage.Id, StageState.UsersChanged, [users.ToString()])
        {
            TimeSpent = TimeSpan.FromSeconds(seconds * share),
            Users = users,
        };
    }

    static IReadOnlyList<string> Describe(IReadOnlyList<InputChange> changes) =>
        [.. changes.Select(change => change.ToString())];

    StageMarker? FindReusable(Stage stage, RunDirectory other)
    {
        var marker = StageMarker.Read(other.Marker(stage.Id));
        return
            marker is not null
            && FindChanges(stage, marker).Count == 0
            && !FindUserChanges(stage, marker).Any
            && marker.FindDamage(other, stage.Id).Count == 0
            ? marker
            : null;
    }

    /// <summary>How the inputs of a marker differ from those now; its users, where it lists them, do not count.</summary>
    IReadOnlyList<InputChange> FindChanges(Stage stage, StageMarker marker)
    {
        if (stage.Reads.HasFlag(InputKinds.Users))
        {
            return marker.FindChanges(CollectInputs(stage, marker.Users is null));
        }

        // Who was forgotten is nothing to a stage that reads no users.
        var read = marker with
        {
            Inputs = [.. marker.Inputs.Where(input => !IsForgotten(input))],
        };
        return read.FindChanges([.. CollectInputs(stage).Where(input => !IsForgotten(input))]);

        static bool IsForgotten(StageInput input) => input.Kind == InputKinds.ForgottenUsers;
    }

    void CopyOutputs(StageMarker marker, RunDirectory other)
    {
        foreach (var file in marker.Outputs.Keys)
        {
            var source = Path.Combine(other.Root, file);
            if (File.Exists(source))
            {
                AtomicFile.Copy(source, Path.Combine(_run.Root, file));
            }
        }
    }

    List<StageInput> CollectInputs(Stage stage) => CollectInputs(stage, !_users.IsSeparable(stage));

    /// <summary>
    /// What a stage's outputs depend on now. Files that it does not read count by their presence alone.
    /// </summary>
    /// <param name="stage">The stage.</param>
    /// <param name="withUsers">
    /// With the data files of the users, for a stage that reads all users together; another's marker lists the users.
    /// </param>
    List<StageInput> CollectInputs(Stage stage, bool withUsers)
    {
        bool IsUnread(StageInput input) => (input.Kind & InputKinds.Files & ~stage.Reads) != InputKinds.None;
        return
        [
            .. CollectAllInputs(stage, withUsers)
                .Select(input => IsUnread(input) ? input with { Value = StageInput.NotRead } : input),
        ];
    }

    /// <summary>
    /// The inputs with the content of every file, whether the stage reads it or not. The hash of these is what stands
    /// for the stage among the inputs of those built on it.
    /// </summary>
    List<StageInput> CollectAllInputs(Stage stage, bool withUsers)
    {
        List<StageInput> inputs =
        [
            .. _context.Recipe.ListInputs(stage.GetRecipeKeys(_context.Recipe)).Select(ToRecipeInput),
            .. _context.Inputs.ListFiles(InputKinds.Files & ~_context.Inputs.Missing).Select(ToFileInput),
            .. FindRecordedFiles(stage),
            .. stage.ListImportedFiles(_context).Select(ToFileInput),
            .. stage.Needs(_context.Recipe).Select(needed => ToStageInput(needed, withUsers)),
            .. FindImport(stage),
        ];
        if (!withUsers)
        {
            inputs.RemoveAll(input =>
                input.Kind == InputKinds.Users || input is { Kind: InputKinds.Recipe, Name: "users" }
            );
            return inputs;
        }

        inputs.AddRange(AddedUsers.ListInputs(_run));
        var forgotten = ForgottenUsers.Read(_run).Users;
        if (forgotten.Count > 0)
        {
            inputs.Add(new(InputKinds.ForgottenUsers, "", string.Join(' ', forgotten)));
        }

        return inputs;
    }

    /// <summary>The file that the stage's outputs are taken from now; else the one that they were taken from.</summary>
    IEnumerable<StageInput> FindImport(Stage stage) =>
        _context.ImportedNegatives is { } imported && stage.TakesImport(imported)
            ? [new(InputKinds.Import, imported.File, imported.Hash)]
            : StageMarker.Read(_run.Marker(stage.Id))?.Inputs.Where(input => input.Kind == InputKinds.Import) ?? [];

    StageInput ToRecipeInput(KeyValuePair<string, string> value) =>
        new(InputKinds.Recipe, value.Key, _taskPath.GetInput(value.Key, value.Value));

    StageInput ToFileInput(InputFile file) => new(file.Kind, file.Name, _hashes.ComputeHash(file.FullPath));

    StageInput ToStageInput(StageId id, bool withUsers)
    {
        var needed = _pipeline.Find(id);
        var key = (id, withUsers || _users.IsJoint(needed));
        if (!_stageHashes.TryGetValue(key, out var hash))
        {
            _stageHashes[key] = hash = StageMarker.ComputeHash(CollectAllInputs(needed, key.Item2));
        }

        return new(InputKinds.Stage, id.Name, hash);
    }

    /// <summary>
    /// Files that are missing, with the hashes that the stage or else another was made from: they count as unchanged.
    /// </summary>
    IEnumerable<StageInput> FindRecordedFiles(Stage stage)
    {
        var missing = _context.Inputs.Missing;
        if (missing == InputKinds.None)
        {
            return [];
        }

        return _pipeline
            .Stages.Prepend(stage)
            .Select(one => StageMarker.Read(_run.Marker(one.Id)) ?? StageMarker.Read(_run.StartedMarker(one.Id)))
            .OfType<StageMarker>()
            .SelectMany(marker => marker.Inputs)
            .Where(input => (input.Kind & missing) != InputKinds.None && input.Value != StageInput.NotRead)
            .DistinctBy(input => input.Label);
    }

    /// <summary>
    /// How long a session that was killed had worked: from the marker at its beginning to the last file it wrote. Where
    /// it ended in order, the marker is younger than all it wrote.
    /// </summary>
    TimeSpan GetUnrecordedTime(Stage stage)
    {
        var recorded = File.GetLastWriteTimeUtc(_run.StartedMarker(stage.Id));
        var latest = GetOwnedPaths(stage)
            .SelectMany(ListFiles)
            .Where(File.Exists)
            .Select(File.GetLastWriteTimeUtc)
            .DefaultIfEmpty(recorded)
            .Max();
        return latest > recorded ? latest - recorded : TimeSpan.Zero;
    }

    static IEnumerable<string> ListFiles(string path) =>
        Directory.Exists(path) ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories) : [path];

    IEnumerable<string> GetOwnedPaths(Stage stage) => GetOwnedPaths(stage, _run);

    static IEnumerable<string> GetOwnedPaths(Stage stage, RunDirectory run) =>
        stage
            .Outputs(run)
            .Select(output => output.FullPath)
            .Append(run.Checkpoints(stage.Id))
            .Append(run.Metrics(stage.Id)) // of many stages an output as well
            .Distinct();

    SortedDictionary<string, long> GetOutputSizes(Stage stage)
    {
        var sizes = stage
            .Outputs(_run)
            .SelectMany(output => ListFiles(output.FullPath))
            .ToDictionary(_run.GetRelativePath, file => new FileInfo(file).Length);
        return new(sizes, StringComparer.Ordinal);
    }
}

/// <summary>Where a stage stands and why.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Reasons">What changed or is damaged, in words, where it is stale.</param>
public sealed record StageStatus(StageId Stage, StageState State, IReadOnlyList<string> Reasons)
{
    /// <summary>
    /// Time spent on what exists, zero where all of it is damaged; where users changed, on what leaves with them.
    /// </summary>
    public TimeSpan TimeSpent { get; init; }

    /// <summary>Inputs that differ from those it was made from, where it is stale.</summary>
    internal IReadOnlyList<InputChange> Changes { get; init; } = [];

    /// <summary>How its users differ from those of the run now.</summary>
    internal UserChanges Users { get; init; } = UserChanges.None;
}

/// <summary>Where a stage stands under a recipe.</summary>
public enum StageState
{
    /// <summary>Not begun, or nothing of it is left.</summary>
    Missing,

    /// <summary>Begun on the same inputs; it resumes where it stopped.</summary>
    Interrupted,

    /// <summary>Made or begun on other inputs, or its outputs are damaged; it starts again.</summary>
    Stale,

    /// <summary>Whole and current.</summary>
    Complete,

    /// <summary>
    /// Whole and current but for some users, who are new, changed or gone: only their parts are made or removed.
    /// </summary>
    UsersChanged,
}
