using CoPe.Adapters;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Modeling;
using CoPe.Training;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// What a training stage hands to a trainer: numbers of the recipe, where figures and checkpoints go.
/// </summary>
/// <param name="context">The stage at work.</param>
/// <param name="stage">Its name.</param>
/// <param name="section">Section of the recipe that its numbers stand in.</param>
/// <param name="part">
/// Which of the stage's trainings, for example a group of users: each has checkpoints of its own.
/// </param>
sealed class StageTraining(StageContext context, string stage, string section, string part)
{
    /// <summary>Rows of figures that wait for the disk.</summary>
    const int MaxPendingRows = 200;

    readonly List<StepMetrics> _pendingRows = [];

    /// <summary>Where the state of the unfinished training lies.</summary>
    public FolderCheckpointStore Checkpoints { get; } = new(Path.Combine(context.Run.Checkpoints(stage), part));

    /// <summary>
    /// What a trainer is given for some users' adapters. Figures go to the run's folder; the state is saved every
    /// minute.
    /// </summary>
    public AdapterTrainingContext<TExample> CreateContext<TExample>(
        CausalLm model,
        AdapterBank? task,
        AdapterBank adapters,
        IReadOnlyList<UserExamples<TExample>> users,
        TrainingSection settings
    ) =>
        new()
        {
            Model = model,
            TaskAdapter = task,
            Adapters = adapters,
            UserNames = [.. users.Select(user => user.Id)],
            ExamplesPerUser = [.. users.Select(user => user.Examples)],
            DevelopmentPerUser = settings.EarlyStopping.Items > 0 ? [.. users.Select(user => user.Development)] : null,
            Options = CreateOptions(settings, model),
            Stage = stage,
            MemoryOptionNames = MemoryOptionNames.OfSection(section),
            Metrics = AddRow,
            Checkpoints = Checkpoints,
            Time = context.Time,
            Logger = context.Log,
        };

    /// <summary>Writes the figures that wait.</summary>
    public void Flush()
    {
        JsonLines.Append(context.Run.Metrics(stage), _pendingRows);
        _pendingRows.Clear();
    }

    TrainingOptions CreateOptions(TrainingSection settings, CausalLm model) =>
        new()
        {
            LearningRate = settings.LearningRate,
            Epochs = settings.Epochs,
            BatchSize = settings.BatchSize,
            GradientAccumulation = settings.GradientAccumulation,
            RecomputeLayers = settings.RecomputeLayers,
            WarmupRatio = settings.WarmupRatio,
            MaxGradNorm = settings.MaxGradNorm,
            Optimizer = new AdamWOptions { WeightDecay = settings.WeightDecay },
            CutOff = Math.Min(settings.CutOff, model.Config.MaxPositions),
            Seed = SeedDerivation.Derive(context.Recipe.Seed, stage),
            TokensPerPass = TrainingMemory.ChooseTokensPerPass(model, settings),
            EarlyStopping = settings.EarlyStopping is { Items: > 0 } stopping
                ? new() { Patience = stopping.Patience, EverySteps = stopping.EverySteps }
                : null,
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
