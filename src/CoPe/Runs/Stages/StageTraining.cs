using CoPe.Modeling;
using CoPe.Runs.Recipes;
using CoPe.Training;

namespace CoPe.Runs.Stages;

/// <summary>What a training stage hands to a trainer: numbers of the recipe, where figures and checkpoints go.</summary>
/// <param name="context">The stage at work.</param>
/// <param name="stage">Its name.</param>
/// <param name="part">Which of the stage's trainings, for example a group of users: each has checkpoints of its own.</param>
sealed class StageTraining(StageContext context, string stage, string part)
{
    /// <summary>Rows of figures that wait for the disk.</summary>
    const int MostWaiting = 200;

    readonly List<MetricRow> waiting = [];

    /// <summary>Where the state of the unfinished training lies.</summary>
    public FolderCheckpointStore Checkpoints { get; } = new(Path.Combine(context.Run.Checkpoints(stage), part));

    /// <summary>Saves every minute, and when a person asks for it by making the file <c>checkpoint-now</c>.</summary>
    public CheckpointPolicy Policy => new() { Requested = TakeRequest };

    /// <summary>The trainer's options from the recipe's numbers.</summary>
    public TrainingOptions Options(OptimizationSettings settings, CausalLm model) => new()
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
        MaxTokensPerPass = TrainingMemory.TokensPerPass(model.Config),
    };

    /// <summary>Takes the figures of a step; they reach the disk in groups.</summary>
    public void Write(MetricRow row)
    {
        waiting.Add(row);
        if (waiting.Count >= MostWaiting) Flush();
    }

    /// <summary>Writes the figures that wait.</summary>
    public void Flush()
    {
        JsonLines.Append(context.Run.Metrics(stage), waiting);
        waiting.Clear();
    }

    bool TakeRequest()
    {
        if (!File.Exists(context.Run.CheckpointNow)) return false;
        File.Delete(context.Run.CheckpointNow);
        return true;
    }
}
