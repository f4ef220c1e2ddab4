namespace CoPe.Decoding;

/// <summary>Why an answer ended.</summary>
public enum StopReason
{
    /// <summary>A stop id, which is the last of the answer's ids.</summary>
    StopToken,

    /// <summary>A stop string, which the answer's text contains.</summary>
    StopString,

    /// <summary>The most new tokens asked for.</summary>
    MaxNewTokens,

    /// <summary>The model's context was full.</summary>
    ContextFull,
}
