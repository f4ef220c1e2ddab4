namespace CoPe.Negatives;

/// <summary>Where the rejected answers of preference pairs come from.</summary>
public enum NegativeKind
{
    /// <summary>The task-adaptive model's own answers, chosen by implicit reward (the paper's).</summary>
    Pseudo,

    /// <summary>Another user's text, drawn at random.</summary>
    Random,

    /// <summary>The nearest text of another user.</summary>
    Similar,
}
