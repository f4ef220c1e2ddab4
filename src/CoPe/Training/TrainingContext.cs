using CoPe.Adapters;
using CoPe.Modeling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace CoPe.Training;

/// <summary>What every training is given, whatever its loss.</summary>
public abstract class TrainingContext
{
    /// <summary>The model; not owned.</summary>
    public required CausalLm Model { get; init; }

    /// <summary>How to train.</summary>
    public TrainingOptions Options { get; init; } = new();

    /// <summary>Stage name in progress, metrics and messages.</summary>
    public string Stage { get; init; } = "train";

    /// <summary>Names of settings in messages about memory.</summary>
    internal MemoryOptionNames MemoryOptionNames { get; init; } = MemoryOptionNames.InCode;

    /// <summary>Takes the figures of each user's step.</summary>
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

    /// <summary>Takes warnings.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;
}

/// <summary>Training of one adapter (the task's) or of several at once (one a user), whatever the loss.</summary>
/// <typeparam name="TExample">
/// What an adapter learns from: <see cref="SupervisedExample"/> for <see cref="SftTrainer"/>,
/// <see cref="PreferenceExample"/> for <see cref="DpoTrainer"/>.
/// </typeparam>
public sealed class AdapterTrainingContext<TExample> : TrainingContext
{
    /// <summary>Worn below by every row and left as it is; null for none. Not owned.</summary>
    public AdapterBank? TaskAdapter { get; init; }

    /// <summary>The adapters trained, in place, one a user. Not owned.</summary>
    public required AdapterBank Adapters { get; init; }

    /// <summary>Names of the users, one an adapter, for metrics and messages.</summary>
    public required IReadOnlyList<string> UserNames { get; init; }

    /// <summary>
    /// Seeds of the users' data order and dropout; null draws them from <see cref="TrainingOptions.Seed"/> and their
    /// names.
    /// </summary>
    public IReadOnlyList<long>? UserSeeds { get; init; }

    /// <summary>What each user's adapter learns from.</summary>
    public required IReadOnlyList<IReadOnlyList<TExample>> ExamplesPerUser { get; init; }

    /// <summary>What each user's adapter is measured by while training; null for none.</summary>
    public IReadOnlyList<IReadOnlyList<TExample>>? DevelopmentPerUser { get; init; }
}
