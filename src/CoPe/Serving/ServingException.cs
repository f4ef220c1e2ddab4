namespace CoPe.Serving;

/// <summary>Why a request was not served.</summary>
public enum ServingError
{
    /// <summary>No personal model has the name.</summary>
    UnknownModel,

    /// <summary>An adapter of the model is missing, broken, or of another base model.</summary>
    AdapterUnavailable,

    /// <summary>The model's adapters take more memory than all adapters may.</summary>
    AdapterTooLarge,

    /// <summary>As many requests wait as may.</summary>
    QueueFull,

    /// <summary>As many requests of this user wait as may.</summary>
    UserQueueFull,

    /// <summary>The engine is stopping.</summary>
    Stopping,
}

/// <summary>A request was not served, for a reason that concerns this request alone.</summary>
public sealed class ServingException : Exception
{
    /// <summary>For a reason, with a message that says what was found, what was expected and what to do.</summary>
    public ServingException(ServingError error, string message, Exception? inner = null)
        : base(message, inner) => Error = error;

    /// <summary>Why.</summary>
    public ServingError Error { get; }

    /// <summary>After how long another try may succeed; null where it will not.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
