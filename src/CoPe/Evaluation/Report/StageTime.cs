namespace CoPe.Evaluation.Report;

/// <summary>How long a stage took.</summary>
/// <param name="Stage">The stage's name.</param>
/// <param name="Duration">Wall-clock time; not negative.</param>
public sealed record StageTime(string Stage, TimeSpan Duration);
