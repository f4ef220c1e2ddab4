namespace CoPe.Evaluation.Report;

/// <summary>A token that a model could have written at some place.</summary>
/// <param name="Text">Its text.</param>
/// <param name="LogProbability">log p of it, in nats.</param>
public sealed record TokenAlternative(string Text, double LogProbability);
