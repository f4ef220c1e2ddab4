using CoPe.Evaluation;

namespace CoPe.Runs.Results;

/// <summary>A paired test of two methods of a run, as <c>significance.json</c> and <c>significance.csv</c> hold it.</summary>
public sealed record SignificanceLine
{
    /// <summary>The method tested.</summary>
    public required string Method { get; init; }

    /// <summary>The method it is tested against.</summary>
    public required string Baseline { get; init; }

    /// <summary>The metric's name.</summary>
    public required string Metric { get; init; }

    /// <summary>Mean of the method less mean of the baseline.</summary>
    public required double Difference { get; init; }

    /// <summary>Lower end of the 95 % bootstrap interval; null with fewer than two units.</summary>
    public double? Low { get; init; }

    /// <summary>Upper end of the 95 % bootstrap interval; null with fewer than two units.</summary>
    public double? High { get; init; }

    /// <summary>Two-sided p-value of the paired bootstrap.</summary>
    public required double BootstrapP { get; init; }

    /// <summary>Two-sided p-value of the sign test.</summary>
    public required double SignP { get; init; }

    /// <summary>What was drawn again and counted: <c>users</c> or <c>queries</c>.</summary>
    public required string Unit { get; init; }

    /// <summary>Units for which the method is better.</summary>
    public required int Helped { get; init; }

    /// <summary>Units for which it is worse.</summary>
    public required int Hurt { get; init; }

    /// <summary>Units for which both are the same.</summary>
    public required int Equal { get; init; }

    /// <summary>A test as a line.</summary>
    /// <param name="test">The test.</param>
    public static SignificanceLine Of(PairedComparison test)
    {
        ArgumentNullException.ThrowIfNull(test);
        return new()
        {
            Method = test.Method, Baseline = test.Baseline, Metric = test.Metric.Name, Difference = test.Difference, Low = Finite(test.Low), High = Finite(test.High),
            BootstrapP = test.BootstrapP, SignP = test.SignP, Unit = test.Unit == PairedUnit.Users ? "users" : "queries", Helped = test.Helped, Hurt = test.Hurt, Equal = test.Equal,
        };
    }

    static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
