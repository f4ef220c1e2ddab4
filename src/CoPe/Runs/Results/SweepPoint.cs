namespace CoPe.Runs.Results;

/// <summary>A value of a swept key and what it came to.</summary>
/// <param name="Value">The value, as a recipe writes it.</param>
/// <param name="Figures">The run with it.</param>
public sealed record SweepPoint(string Value, RunFigures Figures);
