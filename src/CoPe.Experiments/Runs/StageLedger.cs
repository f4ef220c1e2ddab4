namespace CoPe.Experiments.Runs;

/// <summary>Knows which stages of a run are whole and current, by their markers.</summary>
sealed class StageLedger(Pipeline pipeline, StageContext context)
{
    readonly FileHashes _hashes = new(context.Run.FileHashes);

    /// <summary>Where a stage stands under the context's recipe and files.</summary>
    public StageStatus GetStatus(Stage stage)
    {
        var inputs = Inputs(stage);
        if (StageMarker.Read(context.Run.Marker(stage.Name)) is { } done)
        {
            var damage = done.FindDamage(context.Run);
            IReadOnlyList<string> reasons =
            [
                .. done.DescribeChanges(inputs),
                .. damage.Select(file => $"{file} is missing or damaged"),
            ];
            var isLost = damage.Count > 0 && damage.Count == done.Outputs.Count;
            return new(stage.Name, reasons.Count == 0 ? StageState.Complete : StageState.Stale, reasons)
            {
                TimeSpent = TimeSpan.FromSeconds(isLost ? 0 : done.Seconds),
            };
        }

        if (StageMarker.Read(context.Run.StartedMarker(stage.Name)) is not { } begun)
        {
            return new(stage.Name, StageState.Missing, []);
        }

        var changes = begun.DescribeChanges(inputs);
        return new(stage.Name, changes.Count == 0 ? StageState.Interrupted : StageState.Stale, changes)
        {
            TimeSpent = TimeSpan.FromSeconds(begun.Seconds) + GetUnrecordedTime(stage),
        };
    }

    /// <summary>
    /// Opens a stage: what is left of other inputs goes, and a note says from which inputs work begins. A sitting that
    /// was killed counts into the note of the one that goes on from it.
    /// </summary>
    public StageMarker Start(Stage stage, bool keepPartial)
    {
        var note = context.Run.StartedMarker(stage.Name);
        if (keepPartial)
        {
            var noted = StageMarker.Read(note)!;
            var goesOn = noted with { Seconds = noted.Seconds + GetUnrecordedTime(stage).TotalSeconds };
            goesOn.Write(note);
            return goesOn;
        }

        Discard(stage);
        var inputs = Inputs(stage);
        var begun = new StageMarker
        {
            Stage = stage.Name,
            Inputs = inputs,
            Hash = StageMarker.ComputeHash(inputs),
            Started = context.Time.GetUtcNow(),
        };
        begun.Write(note);
        return begun;
    }

    /// <summary>Removes what a stage made or began, its marker first.</summary>
    public void Discard(Stage stage)
    {
        AtomicFile.Remove(context.Run.Marker(stage.Name));
        AtomicFile.Remove(context.Run.StartedMarker(stage.Name));
        foreach (var output in GetOwnedPaths(stage))
        {
            AtomicFile.Remove(output);
        }
    }

    /// <summary>Notes the time spent in a stage that did not come to its end.</summary>
    public void RecordInterruption(Stage stage, StageMarker begun)
    {
        try
        {
            begun.Write(context.Run.StartedMarker(stage.Name));
        }
        catch (IOException)
        {
            // The note of the beginning still stands; only its time is short. What stopped the stage is what the person
            // must hear of.
        }
    }

    /// <summary>Closes a stage that is whole, with its marker last.</summary>
    public void Complete(Stage stage, StageMarker begun)
    {
        if (stage.Outputs(context.Run).FirstOrDefault(output => !output.Exists) is { } missing)
        {
            throw new InvalidOperationException($"stage '{stage.Name}' ended without writing {missing.FullPath}");
        }

        (begun with { Finished = context.Time.GetUtcNow(), Outputs = GetOutputSizes(stage) }).Write(
            context.Run.Marker(stage.Name)
        );
        AtomicFile.Remove(context.Run.StartedMarker(stage.Name));
        AtomicFile.Remove(context.Run.Checkpoints(stage.Name));
    }

    /// <summary>
    /// Copies a stage that is missing or stale here from a run where it is whole and made from the same inputs, its
    /// marker last.
    /// </summary>
    public bool ReuseFrom(Stage stage, IEnumerable<RunDirectory> others)
    {
        if (GetStatus(stage).State == StageState.Complete)
        {
            return false;
        }

        var inputs = Inputs(stage);
        foreach (var other in others)
        {
            if (
                StageMarker.Read(other.Marker(stage.Name)) is not { } done
                || done.DescribeChanges(inputs).Count > 0
                || done.FindDamage(other).Count > 0
            )
            {
                continue;
            }

            Discard(stage);
            foreach (var file in done.Outputs.Keys.Where(file => File.Exists(Path.Combine(other.Root, file))))
            {
                Copy(Path.Combine(other.Root, file), Path.Combine(context.Run.Root, file));
            }

            done.Write(context.Run.Marker(stage.Name));
            return true;
        }

        return false;
    }

    static void Copy(string from, string to) =>
        AtomicFile.Write(
            to,
            stream =>
            {
                using var source = File.OpenRead(from);
                source.CopyTo(stream);
            }
        );

    /// <summary>
    /// Notes inputs and outputs as they are now, after a user was taken out of both: the stage stays complete.
    /// </summary>
    public void RefreshMarker(Stage stage)
    {
        var inputs = Inputs(stage);
        var marker = StageMarker.Read(context.Run.Marker(stage.Name))!;
        (
            marker with
            {
                Inputs = inputs,
                Hash = StageMarker.ComputeHash(inputs),
                Outputs = GetOutputSizes(stage),
            }
        ).Write(context.Run.Marker(stage.Name));
    }

    SortedDictionary<string, string> Inputs(Stage stage)
    {
        var inputs = AllInputs(stage);
        foreach (
            var name in inputs
                .Keys.Where(name =>
                    InputPaths.KindOf(name) is not InputKinds.None and var kind && !stage.Reads.HasFlag(kind)
                )
                .ToList()
        )
        {
            inputs[name] = StageMarker.NotRead;
        }

        return inputs;
    }

    /// <summary>
    /// The inputs with every file, whether the stage reads it or not: what stages name each other by, so that runs from
    /// before a stage said what it reads stay whole.
    /// </summary>
    SortedDictionary<string, string> AllInputs(Stage stage)
    {
        var inputs = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (
            var (key, value) in stage.RecipeKeys.Count == 0
                ? new Dictionary<string, string>()
                : context.Recipe.Values(stage.RecipeKeys)
        )
        {
            inputs["recipe " + key] = value;
        }

        if (ForgottenUsers.Read(context.Run) is { Users: { Count: > 0 } forgotten })
        {
            inputs["forgotten users"] = string.Join(' ', forgotten);
        }

        foreach (var (name, path) in context.Inputs.ListFiles(InputKinds.All & ~context.Inputs.Missing))
        {
            inputs[name] = _hashes.ComputeHash(path);
        }

        foreach (var (name, hash) in GetRecordedHashes(stage))
        {
            inputs[name] = hash;
        }

        foreach (var needed in stage.Needs(context.Recipe))
        {
            inputs["stage " + needed] = StageMarker.ComputeHash(AllInputs(pipeline.Find(needed)));
        }

        return inputs;
    }

    /// <summary>
    /// Files that are gone, with the hashes that the stage or else another was made from: they count as unchanged.
    /// </summary>
    IEnumerable<KeyValuePair<string, string>> GetRecordedHashes(Stage stage)
    {
        var gone = context.Inputs.Missing;
        if (gone == InputKinds.None)
        {
            return [];
        }

        var markers = pipeline
            .Stages.Prepend(stage)
            .Select(one =>
                StageMarker.Read(context.Run.Marker(one.Name)) ?? StageMarker.Read(context.Run.StartedMarker(one.Name))
            )
            .OfType<StageMarker>();
        return markers
            .SelectMany(marker => marker.Inputs)
            .Where(input =>
                input.Value != StageMarker.NotRead && (InputPaths.KindOf(input.Key) & gone) != InputKinds.None
            )
            .DistinctBy(input => input.Key);
    }

    /// <summary>
    /// How long a sitting that was killed had worked: from the note at its beginning to the last file it wrote. Where
    /// it ended in peace, the note is younger than all it wrote.
    /// </summary>
    TimeSpan GetUnrecordedTime(Stage stage)
    {
        var noted = File.GetLastWriteTimeUtc(context.Run.StartedMarker(stage.Name));
        var latest = GetOwnedPaths(stage)
            .SelectMany(ListFiles)
            .Where(File.Exists)
            .Select(File.GetLastWriteTimeUtc)
            .DefaultIfEmpty(noted)
            .Max();
        return latest > noted ? latest - noted : TimeSpan.Zero;
    }

    static IEnumerable<string> ListFiles(string output) =>
        Directory.Exists(output) ? Directory.EnumerateFiles(output, "*", SearchOption.AllDirectories) : [output];

    IEnumerable<string> GetOwnedPaths(Stage stage) =>
        [
            .. stage.Outputs(context.Run).Select(output => output.FullPath),
            context.Run.Checkpoints(stage.Name),
            context.Run.Metrics(stage.Name),
        ];

    SortedDictionary<string, long> GetOutputSizes(Stage stage)
    {
        var files = stage.Outputs(context.Run).SelectMany(output => ListFiles(output.FullPath));
        return new(
            files.ToDictionary(
                file => Path.GetRelativePath(context.Run.Root, file).Replace('\\', '/'),
                file => new FileInfo(file).Length
            ),
            StringComparer.Ordinal
        );
    }
}

/// <summary>Where a stage stands and why.</summary>
/// <param name="Stage">The stage's name.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Reasons">What changed or is damaged, in words, where it is stale.</param>
public sealed record StageStatus(string Stage, StageState State, IReadOnlyList<string> Reasons)
{
    /// <summary>Time spent on what lies there; zero where it is damaged.</summary>
    public TimeSpan TimeSpent { get; init; }
}

/// <summary>Where a stage stands under a recipe.</summary>
public enum StageState
{
    /// <summary>Not begun, or nothing of it is left.</summary>
    Missing,

    /// <summary>Begun on the same inputs; it goes on where it stopped.</summary>
    Interrupted,

    /// <summary>Made or begun on other inputs, or its outputs are damaged; it starts again.</summary>
    Stale,

    /// <summary>Whole and current.</summary>
    Complete,
}
