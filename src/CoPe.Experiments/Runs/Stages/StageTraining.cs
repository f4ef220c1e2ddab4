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
sealed class StageTraining(StageContext context, StageId stage, string section, string part)
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
            Checkpoints = Checkpoints,
            Time = context.Time,
            Logger = context.Log,
        };

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
            TokensPerPass = TrainingMemory.ChooseTokensPerPass(model, settings),
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
}
