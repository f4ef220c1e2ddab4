namespace CoPe.Training;

/// <summary>A checkpoint belongs to another training than the one that would continue it.</summary>
public sealed class StaleCheckpointException : Exception
{
    /// <summary>Names no difference.</summary>
    public StaleCheckpointException()
    {
    }

    /// <summary>Says what differs.</summary>
    public StaleCheckpointException(string message) : base(message)
    {
    }

    /// <summary>Says what differs and why.</summary>
    public StaleCheckpointException(string message, Exception inner) : base(message, inner)
    {
    }

    /// <summary>Throws unless both name the same parts with the same hashes.</summary>
    internal static void ThrowIfDifferent(IReadOnlyDictionary<string, string> saved, IReadOnlyDictionary<string, string> now, string stage)
    {
        var different = saved.Keys.Union(now.Keys).Where(part => saved.GetValueOrDefault(part) != now.GetValueOrDefault(part)).Order(StringComparer.Ordinal).ToArray();
        if (different.Length > 0)
            throw new StaleCheckpointException($"the checkpoint of {stage} was made with other {string.Join(", ", different)} than this training has");
    }
}
