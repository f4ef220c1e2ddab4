namespace CoPe.Experiments.Runs;

/// <summary>Collects what the outputs of stages depend on, and compares it with what markers recorded.</summary>
sealed class StageInputCollector
{
    readonly Pipeline _pipeline;
    readonly StageContext _context;
    readonly RunDirectory _run;
    readonly FileHashes _hashes;
    readonly StageUsers _users;
    readonly RecordedTaskPath _taskPath;
    readonly Dictionary<(StageId Stage, bool WithUsers), string> _stageHashes = [];

    public StageInputCollector(Pipeline pipeline, StageContext context, StageUsers users)
    {
        _pipeline = pipeline;
        _context = context;
        _run = context.Run;
        _hashes = context.Workspace.Hashes;
        _users = users;
        _taskPath = new(pipeline, context.Run);
    }

    /// <summary>What a stage's outputs depend on now; the users only where it reads all of them together.</summary>
    public List<StageInput> CollectInputs(Stage stage) => CollectInputs(stage, !_users.IsSeparable(stage));

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

        inputs.AddRange(_context.Workspace.AddedUserInputs);
        var forgotten = _context.Workspace.Forgotten.Users;
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
    /// How the inputs of a marker differ from those now; its users, where it lists them, do not count.
    /// </summary>
    public IReadOnlyList<InputChange> FindChanges(Stage stage, StageMarker marker)
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
}
