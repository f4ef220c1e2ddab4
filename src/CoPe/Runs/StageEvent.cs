namespace CoPe.Runs;

/// <summary>Something that happened to a stage.</summary>
/// <param name="Stage">The stage's name.</param>
/// <param name="Kind">What happened.</param>
public sealed record StageEvent(string Stage, StageEventKind Kind);
