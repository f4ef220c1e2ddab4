namespace CoPe.Evaluation;

/// <summary>What to do when the ids of predictions and golds differ.</summary>
public enum IdMismatch
{
    /// <summary>Stop with an error that lists them.</summary>
    Error,

    /// <summary>Score those that match; list the others in the report.</summary>
    Report,
}
