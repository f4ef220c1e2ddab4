using CoPe.Modeling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoPe.Training;

/// <summary>What every training is given, whatever its loss.</summary>
public abstract class TrainingRun
{
    /// <summary>The model; not owned.</summary>
    public required CausalLm Model { get; init; }

    /// <summary>How to train.</summary>
    public TrainingOptions Options { get; init; } = new();

    /// <summary>Stage name in progress, metrics and messages.</summary>
    public string Stage { get; init; } = "train";

    /// <summary>Names of settings in messages about memory.</summary>
    internal MemorySettings MemorySettings { get; init; } = MemorySettings.InCode;

    /// <summary>Takes the figures of each user's step.</summary>
    public Action<MetricRow>? Metrics { get; init; }

    /// <summary>Where the state of an unfinished training is kept; null keeps none. The caller clears it once the result is stored.</summary>
    public ICheckpointStore? Checkpoints { get; init; }

    /// <summary>When to save a checkpoint.</summary>
    public CheckpointPolicy CheckpointPolicy { get; init; } = new();

    /// <summary>Clock of rates and checkpoints.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Takes warnings.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;
}
