using CoPe.Kernels.Threads;
using CoPe.Modeling;
using CoPe.Scoring;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoPe.Training;

/// <summary>
/// What every training needs besides its data: the model, the options, and where figures, checkpoints and warnings go.
/// </summary>
public sealed class TrainingContext
{
    /// <summary>The model; not owned.</summary>
    public required CausalLm Model { get; init; }

    /// <summary>How to train.</summary>
    public TrainingOptions Options { get; init; } = new();

    /// <summary>Name of the training in progress, metrics and messages.</summary>
    public string Stage { get; init; } = "train";

    /// <summary>Called with the figures of each user's step.</summary>
    public Action<StepMetrics>? Metrics { get; init; }

    /// <summary>
    /// Where the state of an unfinished training is kept; null keeps none. The caller clears it once the result is
    /// stored.
    /// </summary>
    public ICheckpointStore? Checkpoints { get; init; }

    /// <summary>When to save a checkpoint.</summary>
    public CheckpointPolicy CheckpointPolicy { get; init; } = new();

    /// <summary>Clock of rates and checkpoints.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where warnings go.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>What messages about memory call the options.</summary>
    internal MemoryOptionNames MemoryOptionNames { get; init; } = MemoryOptionNames.InCode;

    /// <summary>
    /// Keeps prompts that others need too: another training, a selection. Null keeps them for this training alone. Not
    /// owned.
    /// </summary>
    internal PrefixCache? Prompts { get; init; }

    /// <summary>
    /// Whether prompts that only frozen adapters act on are computed once and without gradient; the results are the
    /// same but for rounding.
    /// </summary>
    internal bool SharesPrompts { get; init; } = true;

    /// <summary>Passes that run in parallel.</summary>
    internal int CountWorkers() => Options.Workers ?? TorchThreads.CountForPasses(Model.Device, Model.Weights.Bytes);
}
