using CoPe.Experiments.Runs.Recipes;
using CoPe.Modeling;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// What a training stage hands to a trainer: options of the recipe, where figures and checkpoints go.
/// </summary>
/// <param name="context">The running stage.</param>
/// <param name="stage">Its name.</param>
/// <param name="section">Section of the recipe that its options stand in.</param>
/// <param name="part">
/// Which of the stage's trainings, for example a group of users: each has checkpoints of its own.
/// </param>
/// <param name="users">The users of that training, as its figures name them.</param>
/// <param name="earlier">Whose figures lie there from earlier sessions.</param>
sealed class StageTraining(
    StageContext context,
    StageId stage,
    string section,
    string part,
    IReadOnlyCollection<string> users,
    EarlierFigures earlier
)
{
    /// <summary>Rows of figures held back until they are written together.</summary>
    const int MaxPendingRows = 200;

    readonly List<StepMetrics> _pendingRows = [];

    /// <summary>Where the state of the unfinished training lies.</summary>
    public FolderCheckpointStore Checkpoints { get; } = new(Path.Combine(context.Run.Checkpoints(stage), part));

    /// <summary>
    /// What a trainer is given besides adapters and users. Figures go to the run's folder; the state is saved every
    /// minute.
    /// </summary>
    public TrainingContext CreateContext(CausalLm model, TrainingSection settings) =>
        new()
        {
            Model = model,
            Options = CreateOptions(settings, model),
            Stage = stage.Name,
            MemoryOptionNames = MemoryOptionNames.OfSection(section),
            Metrics = AddRow,
            Checkpoints = new MetricsFirst(this),
            Time = context.Time,
            Logger = context.Log,
            Prompts = context.Workspace.Prompts,
        };

    /// <summary>
    /// Writes the figures held back, and with them what the training did to each user. Called before the adapters are
    /// written, so that a training that counts as done has its figures.
    /// </summary>
    /// <param name="outcomes">What became of the users.</param>
    /// <param name="movements">How far each user's adapter moved, in the order of the outcomes; null for none.</param>
    public void Conclude(IReadOnlyList<TrainingOutcome> outcomes, IReadOnlyList<double?>? movements = null)
    {
        foreach (var (index, outcome) in outcomes.Index())
        {
            if (TrainingSummary.CreateRow(stage, outcome, movements?[index]) is { } row)
            {
                _pendingRows.Add(row);
            }
        }
        Flush();
    }

    /// <summary>Writes the figures held back.</summary>
    public void Flush()
    {
        JsonLines.Append(context.Run.Metrics(stage), _pendingRows);
        _pendingRows.Clear();
    }

    TrainingOptions CreateOptions(TrainingSection settings, CausalLm model) =>
        settings.Training with
        {
            CutOff = Math.Min(settings.Training.CutOff, model.Config.MaxPositions),
            Seed = SeedDerivation.Derive(context.Recipe.Seed, stage.Name),
            TokensPerPass = context.Workspace.ChooseTokensPerPass(settings),
            EarlyStopping = settings.EarlyStopping.Items > 0 ? settings.EarlyStopping : null,
        };

    /// <summary>Takes the figures of a step; they reach the disk in groups.</summary>
    void AddRow(StepMetrics row)
    {
        _pendingRows.Add(row);
        if (_pendingRows.Count >= MaxPendingRows)
        {
            Flush();
        }
    }

    /// <summary>
    /// Removes figures of steps that will be taken again: those after a checkpoint, or all of the users' where there is
    /// none.
    /// </summary>
    void DropFiguresAfter(long? step)
    {
        if (!users.Any(earlier.IsOf))
        {
            return; // The file holds figures of all other users too.
        }

        var file = context.Run.Metrics(stage);
        var rows = JsonLines.Read<StepMetrics>(file);
        var kept = rows.Where(row => !users.Contains(row.User) || IsBefore(row)).ToList();
        if (kept.Count < rows.Count)
        {
            JsonLines.Write(file, kept);
        }

        bool IsBefore(StepMetrics row) => row.Step <= step && !TrainingSummary.IsSummary(row);
    }

    /// <summary>
    /// Checkpoints that hold no step whose figures are not in the metrics, and that take the others out when training
    /// resumes: however often it is killed, each step has one line.
    /// </summary>
    sealed class MetricsFirst(StageTraining training) : ICheckpointStore
    {
        public TrainingCheckpoint? Load()
        {
            var saved = training.Checkpoints.Load();
            training.DropFiguresAfter(saved?.Step);
            return saved;
        }

        public void Save(TrainingCheckpoint checkpoint)
        {
            training.Flush();
            training.Checkpoints.Save(checkpoint);
        }

        public void Clear() => training.Checkpoints.Clear();
    }
}

/// <summary>Whose figures a stage's metrics held before this session.</summary>
/// <param name="file">The metrics.</param>
sealed class EarlierFigures(string file)
{
    readonly HashSet<string> _users = [.. JsonLines.Enumerate<StepMetrics>(file).Select(row => row.User)];

    /// <summary>Whether they held any of a user.</summary>
    public bool IsOf(string user) => _users.Contains(user);
}
