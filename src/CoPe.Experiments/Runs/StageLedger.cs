namespace CoPe.Experiments.Runs;

/// <summary>Knows which stages of a run are whole and current, by their markers.</summary>
sealed class StageLedger(Pipeline pipeline, StageContext context)
{
    readonly RunDirectory _run = context.Run;
    readonly FileHashes _hashes = context.Workspace.Hashes;

    /// <summary>Where a stage stands under the context's recipe and files.</summary>
    public StageStatus GetStatus(Stage stage)
    {
        var inputs = CollectInputs(stage);
        if (StageMarker.Read(_run.Marker(stage.Id)) is { } complete)
        {
            return DescribeComplete(stage, complete, inputs);
        }

        if (StageMarker.Read(_run.StartedMarker(stage.Id)) is not { } started)
        {
            return new(stage.Id, StageState.Missing, []);
        }

        var changes = started.FindChanges(inputs);
        return new(stage.Id, changes.Count == 0 ? StageState.Interrupted : StageState.Stale, Describe(changes))
        {
            Changes = changes,
            TimeSpent = TimeSpan.FromSeconds(started.Seconds) + GetUnrecordedTime(stage),
        };
    }

    /// <summary>
    /// Opens a stage: what is left of other inputs is removed, and a marker says from which inputs work begins. The
    /// time of a session that was killed counts into the marker of the one that resumes it.
    /// </summary>
    public StageMarker Start(Stage stage, bool keepPartial)
    {
        var path = _run.StartedMarker(stage.Id);
        if (keepPartial)
        {
            var earlier = StageMarker.Read(path)!;
            var resumed = earlier with { Seconds = earlier.Seconds + GetUnrecordedTime(stage).TotalSeconds };
            resumed.Write(path);
            return resumed;
        }

        Discard(stage);
        var inputs = CollectInputs(stage);
        var started = new StageMarker
        {
            Stage = stage.Name,
            Inputs = inputs,
            Hash = StageMarker.ComputeHash(inputs),
            Started = context.Time.GetUtcNow(),
        };
        started.Write(path);
        return started;
    }

    /// <summary>
    /// Removes what a stage made or began, its marker first. What was worth keeping has been set aside before
    /// (<see cref="RunReplacement"/>).
    /// </summary>
    public void Discard(Stage stage) => Discard(stage, _run);

    /// <summary>What a rebuild of a stage replaces: its outputs and markers, whether they exist or not.</summary>
    public IEnumerable<ReplacedPath> ListReplaced(Stage stage) =>
        GetMarkers(stage, _run).Concat(GetOwnedPaths(stage)).Select(path => new ReplacedPath(path));

    /// <summary>Whether an unfinished rebuild has made or begun a stage from the inputs that it would have now.</summary>
    public bool HasUnfinished(Stage stage)
    {
        var unfinished = _run.Unfinished;
        var marker =
            StageMarker.Read(unfinished.Marker(stage.Id)) ?? StageMarker.Read(unfinished.StartedMarker(stage.Id));
        return marker is not null && marker.FindChanges(CollectInputs(stage)).Count == 0;
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

        var complete = started with { Finished = context.Time.GetUtcNow(), Outputs = GetOutputSizes(stage) };
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

        var inputs = CollectInputs(stage);
        foreach (var other in others)
        {
            if (FindReusable(stage, other, inputs) is { } marker)
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
    /// Records inputs and outputs as they are now, after a user was removed from both: the stage stays complete.
    /// </summary>
    public void RefreshMarker(Stage stage)
    {
        var inputs = CollectInputs(stage);
        var refreshed = StageMarker.Read(_run.Marker(stage.Id))! with
        {
            Inputs = inputs,
            Hash = StageMarker.ComputeHash(inputs),
            Outputs = GetOutputSizes(stage),
        };
        refreshed.Write(_run.Marker(stage.Id));
    }

    StageStatus DescribeComplete(Stage stage, StageMarker marker, IReadOnlyList<StageInput> inputs)
    {
        var changes = marker.FindChanges(inputs);
        var damage = marker.FindDamage(_run, stage.Id);
        List<string> reasons = [.. Describe(changes), .. damage.Select(file => $"{file} is missing or damaged")];
        var isLost = damage.Count > 0 && damage.Count == marker.Outputs.Count;
        return new(stage.Id, reasons.Count == 0 ? StageState.Complete : StageState.Stale, reasons)
        {
            Changes = changes,
            TimeSpent = TimeSpan.FromSeconds(isLost ? 0 : marker.Seconds),
        };
    }

    static IReadOnlyList<string> Describe(IReadOnlyList<InputChange> changes) =>
        [.. changes.Select(change => change.ToString())];

    static StageMarker? FindReusable(Stage stage, RunDirectory other, IReadOnlyList<StageInput> inputs)
    {
        var marker = StageMarker.Read(other.Marker(stage.Id));
        var isSame = marker is not null && marker.DescribeChanges(inputs).Count == 0;
        return isSame && marker!.FindDamage(other, stage.Id).Count == 0 ? marker : null;
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

    /// <summary>
    /// What a stage's outputs depend on now. Files that it does not read count by their presence alone.
    /// </summary>
    List<StageInput> CollectInputs(Stage stage)
    {
        bool IsUnread(StageInput input) => (input.Kind & InputKinds.Files & ~stage.Reads) != InputKinds.None;
        return
        [
            .. CollectAllInputs(stage)
                .Select(input => IsUnread(input) ? input with { Value = StageInput.NotRead } : input),
        ];
    }

    /// <summary>
    /// The inputs with the content of every file, whether the stage reads it or not. The hash of these is what stands
    /// for the stage among the inputs of those built on it.
    /// </summary>
    List<StageInput> CollectAllInputs(Stage stage)
    {
        List<StageInput> inputs =
        [
            .. context.Recipe.ListInputs(stage.RecipeKeys).Select(ToRecipeInput),
            .. context.Inputs.ListFiles(InputKinds.Files & ~context.Inputs.Missing).Select(ToFileInput),
            .. FindRecordedFiles(stage),
            .. stage.Needs(context.Recipe).Select(ToStageInput),
        ];
        var forgotten = ForgottenUsers.Read(_run).Users;
        if (forgotten.Count > 0)
        {
            inputs.Add(new(InputKinds.ForgottenUsers, "", string.Join(' ', forgotten)));
        }

        return inputs;
    }

    static StageInput ToRecipeInput(KeyValuePair<string, string> value) =>
        new(InputKinds.Recipe, value.Key, value.Value);

    StageInput ToFileInput(InputFile file) => new(file.Kind, file.Name, _hashes.ComputeHash(file.FullPath));

    StageInput ToStageInput(StageId needed) =>
        new(InputKinds.Stage, needed.Name, StageMarker.ComputeHash(CollectAllInputs(pipeline.Find(needed))));

    /// <summary>
    /// Files that are missing, with the hashes that the stage or else another was made from: they count as unchanged.
    /// </summary>
    IEnumerable<StageInput> FindRecordedFiles(Stage stage)
    {
        var missing = context.Inputs.Missing;
        if (missing == InputKinds.None)
        {
            return [];
        }

        return pipeline
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
        [.. stage.Outputs(run).Select(output => output.FullPath), run.Checkpoints(stage.Id), run.Metrics(stage.Id)];

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
    /// <summary>Time spent on what exists; zero where all of it is damaged.</summary>
    public TimeSpan TimeSpent { get; init; }

    /// <summary>Inputs that differ from those it was made from, where it is stale.</summary>
    internal IReadOnlyList<InputChange> Changes { get; init; } = [];
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
}
