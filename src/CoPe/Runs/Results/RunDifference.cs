using CoPe.Evaluation;

namespace CoPe.Runs.Results;

/// <summary>The same method in two runs, tested query by query.</summary>
/// <param name="Run">The run tested.</param>
/// <param name="Baseline">The run it is tested against.</param>
/// <param name="Test">Difference, p-values, users helped and hurt.</param>
public sealed record RunDifference(string Run, string Baseline, PairedComparison Test);
