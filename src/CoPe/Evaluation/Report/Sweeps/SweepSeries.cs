namespace CoPe.Evaluation.Report.Sweeps;

/// <summary>A method over the values of a key.</summary>
/// <param name="Method">Its heading.</param>
/// <param name="Cells">What it came to at each value; null where it has no such figure.</param>
public sealed record SweepSeries(string Method, IReadOnlyList<MeanWithError?> Cells);
