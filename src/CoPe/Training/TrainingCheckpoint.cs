using System.ComponentModel.DataAnnotations;

namespace CoPe.Training;

/// <summary>
/// Everything an unfinished training needs to resume to the bit. Random streams and data order are functions of seed
/// and step, so the step is their state.
/// </summary>
public sealed record TrainingCheckpoint
{
    /// <summary>Hashes of what the training depends on, by name; a resumed training must have the same.</summary>
    public required IReadOnlyDictionary<string, string> Fingerprint { get; init; }

    /// <summary>Steps done.</summary>
    public required long Step { get; init; }

    /// <summary>How far each user's training is, as JSON.</summary>
    public required string Users { get; init; }

    /// <summary>Weights and moments by name, <c>[users * weights]</c>.</summary>
    public required IReadOnlyDictionary<string, float[]> Arrays { get; init; }

    /// <summary>Where it lies, for messages.</summary>
    internal string Source { get; init; } = "the checkpoint";

    /// <summary>The error for a checkpoint whose content is none.</summary>
    internal static InvalidDataException CreateDamagedError(string source, string problem, Exception? inner = null) =>
        new(MessageText.ToOneLine($"{source}: {problem}; remove this checkpoint to start the training over"), inner);
}

/// <summary>Keeps the state of one unfinished training.</summary>
public interface ICheckpointStore
{
    /// <summary>The last complete checkpoint, or null.</summary>
    TrainingCheckpoint? Load();

    /// <summary>Replaces the last checkpoint; if it fails, the last one stays.</summary>
    void Save(TrainingCheckpoint checkpoint);

    /// <summary>Removes every checkpoint.</summary>
    void Clear();
}

/// <summary>When a training saves its state, besides when it is cancelled.</summary>
public sealed record CheckpointPolicy
{
    /// <summary>Every so many steps; 0 goes by time alone.</summary>
    [Range(0, int.MaxValue)]
    public int EverySteps
    {
        get;
        init => field = OptionGuard.Check(typeof(CheckpointPolicy), value);
    }

    /// <summary>After so much time since the last one.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>A checkpoint belongs to another training than the one that would resume it.</summary>
public sealed class StaleCheckpointException : Exception
{
    /// <summary>Without a message.</summary>
    public StaleCheckpointException() { }

    /// <summary>With a message that says what differs.</summary>
    public StaleCheckpointException(string message)
        : base(MessageText.ToOneLine(message)) { }

    /// <summary>With a message that says what differs, and its cause.</summary>
    public StaleCheckpointException(string message, Exception inner)
        : base(MessageText.ToOneLine(message), inner) { }

    /// <summary>Throws unless both name the same parts with the same hashes.</summary>
    internal static void ThrowIfDifferent(
        IReadOnlyDictionary<string, string> saved,
        IReadOnlyDictionary<string, string> now,
        string stage
    )
    {
        var different = saved
            .Keys.Union(now.Keys)
            .Where(part => saved.GetValueOrDefault(part) != now.GetValueOrDefault(part))
            .Order(StringComparer.Ordinal)
            .ToArray();
        if (different.Length > 0)
        {
            throw new StaleCheckpointException(
                $"the checkpoint of {stage} was saved with other {string.Join(", ", different)} than this training has"
            );
        }
    }
}
