namespace CoPe.Evaluation;

/// <summary>Precision, recall and their harmonic mean of one ROUGE variant for one pair of texts.</summary>
/// <param name="Precision">Share of the prediction's units that the reference has.</param>
/// <param name="Recall">Share of the reference's units that the prediction has.</param>
public readonly record struct RougeScore(double Precision, double Recall)
{
    /// <summary>The number that tables report. <code>F = 2 P R / (P + R), 0 where P + R = 0</code></summary>
    public double FMeasure => Precision + Recall > 0 ? 2 * Precision * Recall / (Precision + Recall) : 0;

    /// <summary>The score of a count of common units; 0 where a side has none.</summary>
    internal static RougeScore Of(int common, int predicted, int expected) =>
        predicted == 0 || expected == 0 ? default : new((double)common / predicted, (double)common / expected);
}
