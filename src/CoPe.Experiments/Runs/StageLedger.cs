namespace CoPe.Experiments.Runs;

/// <summary>Knows which stages of a run are whole and current, by their markers.</summary>
sealed class StageLedger
{
    readonly StageContext _context;
    readonly RunDirectory _run;
    readonly StageUsers _users;
    readonly StageInputCollector _inputs;
    readonly StagePaths _paths;

    public StageLedger(Pipeline pipeline, StageContext context)
    {
        _context = context;
        _run = context.Run;
        _users = new(pipeline, context, context.Workspace.Hashes);
        _inputs = new(pipeline, context, _users);
        _paths = new(context.Run);
    }

    /// <summary>Where a stage stands under the context's recipe and files.</summary>
    public StageStatus GetStatus(Stage stage)
    {
        var path = _run.Marker(stage.Id);
        if (StageMarker.TryRead(path, out var problem) is { } complete)
        {
            return DescribeComplete(stage, complete);
        }

        path = problem is null ? _run.StartedMarker(stage.Id) : path;
        var started = problem is null ? StageMarker.TryRead(path, out problem) : null;
        if (problem is not null)
        {
            return DamagedMarkers.CreateStatus(_run, stage, path, problem);
        }

        if (started is null)
        {
            return new(stage.Id, StageState.Missing, []);
        }

        var changes = _inputs.FindChanges(stage, started);
        var state =
            changes.Count > 0 ? StageState.Stale
            : started.Removing is null ? StageState.Interrupted
            : StageState.UsersChanged;
        return new(stage.Id, state, Describe(changes))
        {
            Changes = changes,
            TimeSpent = TimeSpan.FromSeconds(started.Seconds) + _paths.GetUnrecordedTime(stage),
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

        _paths.Discard(stage);
        var inputs = _inputs.CollectInputs(stage);
        var started = new StageMarker
        {
            Stage = stage.Name,
            Inputs = inputs,
            Hash = StageMarker.ComputeHash(inputs),
            Started = _context.Time.GetUtcNow(),
            Environments = [_context.Environment],
            UserNames = StageMarker.PercentEncoded,
        };
        started = WithUsers(stage, started);
        started.Write(_run.StartedMarker(stage.Id));
        return started;
    }

    /// <summary>
    /// Takes up a stage with what it has. The marker of the beginning comes first and names the users whose parts
    /// leave, so that a removal that is interrupted is finished by the next session.
    /// </summary>
    StageMarker StartPartial(Stage stage)
    {
        var path = _run.StartedMarker(stage.Id);
        var complete = StageMarker.Read(_run.Marker(stage.Id));
        var earlier = complete ?? StageMarker.Read(path)!;
        var before =
            complete ?? earlier with { Seconds = earlier.Seconds + _paths.GetUnrecordedTime(stage).TotalSeconds };
        before = before with { Finished = null, Outputs = [], UserNames = StageMarker.PercentEncoded };
        before = before.With(_context.Environment);
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

        var inputs = _inputs.CollectInputs(stage);
        WithUsers(stage, marker with { Inputs = inputs, Hash = StageMarker.ComputeHash(inputs) }).Write(path);
    }

    /// <summary>
    /// Marks an update as begun: from here on the stage is not complete, and parts of users may be missing.
    /// </summary>
    public void BeginUpdate(Stage stage)
    {
        var earlier = StageMarker.Read(_run.Marker(stage.Id)) ?? StageMarker.Read(_run.StartedMarker(stage.Id))!;
        var changes = FindUserChanges(stage, earlier);
        var leaving = changes.Changed.Concat(changes.Gone).Union(earlier.Removing ?? []).ToList();
        var begun = earlier with { Finished = null, Outputs = [], Removing = leaving };
        begun.Write(_run.StartedMarker(stage.Id));
        AtomicFile.Remove(_run.Marker(stage.Id));
    }

    /// <summary>
    /// Whether an unfinished rebuild has made or begun a stage from the inputs that it would have now.
    /// </summary>
    public bool HasUnfinished(Stage stage)
    {
        var unfinished = _run.Unfinished;
        var marker =
            StageMarker.Read(unfinished.Marker(stage.Id)) ?? StageMarker.Read(unfinished.StartedMarker(stage.Id));
        return marker is not null
            && _inputs.FindChanges(stage, marker).Count == 0
            && !FindUserChanges(stage, marker).Any;
    }

    /// <summary>
    /// Whether a stage was complete when it was last looked at, from the inputs that it would have now. Its files are
    /// not looked at: they may be on their way to another folder.
    /// </summary>
    public bool IsMadeFromCurrentInputs(Stage stage) =>
        StageMarker.Read(_run.Marker(stage.Id)) is { } marker
        && _inputs.FindChanges(stage, marker).Count == 0
        && !FindUserChanges(stage, marker).Any;

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

        var complete = started with { Finished = _context.Time.GetUtcNow(), Outputs = _paths.GetOutputSizes(stage) };
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
                _paths.Discard(stage);
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
        var inputs = _inputs.CollectInputs(stage);
        var refreshed = RemoveForgotten(stage, StageMarker.Read(path)!) with
        {
            Inputs = inputs,
            Hash = StageMarker.ComputeHash(inputs),
            Outputs = _paths.GetOutputSizes(stage),
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

        var forgotten = _context.Workspace.Forgotten;
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
        var changes = _inputs.FindChanges(stage, marker);
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
            && _inputs.FindChanges(stage, marker).Count == 0
            && !FindUserChanges(stage, marker).Any
            && marker.FindDamage(other, stage.Id).Count == 0
            ? marker
            : null;
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
}
