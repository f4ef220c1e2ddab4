using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Runs.Recipes;
using CoPe.Training;

namespace CoPe.Runs.Stages;

/// <summary>What a training stage hands to a trainer: numbers of the recipe, where figures and checkpoints go.</summary>
/// <param name="context">The stage at work.</param>
/// <param name="stage">Its name.</param>
/// <param name="section">Section of the recipe that its numbers stand in.</param>
/// <param name="part">Which of the stage's trainings, for example a group of users: each has checkpoints of its own.</param>
sealed class StageTraining(StageContext context, string stage, string section, string part)
{
    /// <summary>Rows of figures that wait for the disk.</summary>
    const int MostWaiting = 200;

    readonly List<MetricRow> waiting = [];

    /// <summary>Where the state of the unfinished training lies.</summary>
    public FolderCheckpointStore Checkpoints { get; } = new(Path.Combine(context.Run.Checkpoints(stage), part));

    /// <summary>What a trainer is given for some users' adapters. Figures go to the run's folder; the state is saved every minute.</summary>
    public AdapterTrainingRun<TExample> Run<TExample>(CausalLm model, AdapterBank? task, AdapterBank adapters, IReadOnlyList<UserTraining<TExample>> users, OptimizationSettings settings) => new()
    {
        Model = model,
        TaskAdapter = task,
        Adapters = adapters,
        UserNames = [.. users.Select(user => user.Id)],
        ExamplesPerUser = [.. users.Select(user => user.Examples)],
        DevelopmentPerUser = settings.EarlyStopping.Items > 0 ? [.. users.Select(user => user.HeldOut)] : null,
        Options = Options(settings, model),
        Stage = stage,
        MemorySettings = MemorySettings.OfSection(section),
        Metrics = Write,
        Checkpoints = Checkpoints,
        Time = context.Time,
        Logger = context.Log,
    };

    /// <summary>Writes the figures that wait.</summary>
    public void Flush()
    {
        JsonLines.Append(context.Run.Metrics(stage), waiting);
        waiting.Clear();
    }

    TrainingOptions Options(OptimizationSettings settings, CausalLm model) => new()
    {
        LearningRate = settings.LearningRate,
        Epochs = settings.Epochs,
        BatchSize = settings.BatchSize,
        GradientAccumulation = settings.GradientAccumulation,
        RecomputeLayers = settings.RecomputeLayers,
        WarmupRatio = settings.WarmupRatio,
        MaxGradNorm = settings.MaxGradNorm,
        Optimiser = new AdamWOptions { WeightDecay = settings.WeightDecay },
        CutOff = Math.Min(settings.CutOff, model.Config.MaxPositions),
        Seed = SeedOf.Part(context.Recipe.Seed, stage),
        MaxTokensPerPass = TrainingMemory.TokensPerPass(model, settings),
        EarlyStopping = settings.EarlyStopping is { Items: > 0 } stopping ? new() { Patience = stopping.Patience, EverySteps = stopping.EverySteps } : null,
    };

    /// <summary>Takes the figures of a step; they reach the disk in groups.</summary>
    void Write(MetricRow row)
    {
        waiting.Add(row);
        if (waiting.Count >= MostWaiting) Flush();
    }
}
