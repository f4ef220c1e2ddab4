namespace CoPe.Training;

/// <summary>Everything an unfinished training needs to go on to the bit. Random streams and data order are functions of seed and step, so the step is their state.</summary>
public sealed record TrainingCheckpoint
{
    /// <summary>What the training was made of, name to hash; a resumed training must be made of the same.</summary>
    public required IReadOnlyDictionary<string, string> Fingerprint { get; init; }

    /// <summary>Steps done.</summary>
    public required long Step { get; init; }

    /// <summary>Each user's standing, as JSON.</summary>
    public required string Users { get; init; }

    /// <summary>Weights and moments by name, <c>[users * weights]</c>.</summary>
    public required IReadOnlyDictionary<string, float[]> Arrays { get; init; }
}
