namespace CoPe.Evaluation.Report;

/// <summary>A figure of training at one step.</summary>
/// <param name="Step">Optimizer step, or whatever the curve counts by.</param>
/// <param name="Value">The figure; one that is not finite breaks the line.</param>
public readonly record struct CurvePoint(double Step, double Value);
