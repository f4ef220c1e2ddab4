namespace CoPe.Training;

/// <summary>What a loop works on.</summary>
internal sealed class LoopSetup
{
    /// <summary>Model, options and sinks.</summary>
    public required TrainingRun Run { get; init; }

    /// <summary>What is minimised.</summary>
    public required ITrainingObjective Objective { get; init; }

    /// <summary>What is trained; owned by the caller.</summary>
    public required TrainedWeights Weights { get; init; }

    /// <summary>Makes a worker's view of what is trained.</summary>
    public required Func<TrainingReplica> Replicate { get; init; }

    /// <summary>Whether adapters drop inputs.</summary>
    public bool Dropout { get; init; }

    /// <summary>Names of the users.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>Seeds of the users.</summary>
    public required IReadOnlyList<long> Seeds { get; init; }

    /// <summary>Rows of each user.</summary>
    public required IReadOnlyList<TrainingRow[]> Rows { get; init; }

    /// <summary>Development rows of each user; null for none.</summary>
    public IReadOnlyList<TrainingRow[]>? DevelopmentRows { get; init; }

    /// <summary>Objective of the development rows, which for preference pairs knows other references.</summary>
    public ITrainingObjective? DevelopmentObjective { get; init; }

    /// <summary>What else a checkpoint depends on, name to hash.</summary>
    public IReadOnlyDictionary<string, string> Fingerprint { get; init; } = new Dictionary<string, string>();
}
