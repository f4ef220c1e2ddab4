namespace CoPe.Evaluation;

/// <summary>Whether a method does better than another on one metric, and for whom.</summary>
public sealed record PairedComparison
{
    /// <summary>The method tested.</summary>
    public required string Method { get; init; }

    /// <summary>The method it is tested against.</summary>
    public required string Baseline { get; init; }

    /// <summary>The metric.</summary>
    public required Metric Metric { get; init; }

    /// <summary>What was drawn again and counted.</summary>
    public required PairedUnit Unit { get; init; }

    /// <summary>How many of them both methods have.</summary>
    public required int Units { get; init; }

    /// <summary>The method's mean less the baseline's, over the queries that both have; where the metric has no value of a query, over users.</summary>
    public required double Difference { get; init; }

    /// <summary>Standard error of the difference, from the resamples; NaN with fewer than two units.</summary>
    public required double StandardError { get; init; }

    /// <summary>Lower end of the bootstrap interval; NaN with fewer than two units.</summary>
    public required double Low { get; init; }

    /// <summary>Upper end of the bootstrap interval; NaN with fewer than two units.</summary>
    public required double High { get; init; }

    /// <summary>Two-sided p-value of the paired bootstrap; 1 with fewer than two units, from which nothing follows.</summary>
    public required double BootstrapP { get; init; }

    /// <summary>Two-sided p-value of the sign test over the units.</summary>
    public required double SignP { get; init; }

    /// <summary>Units for which the method is better (for a neutral metric: higher).</summary>
    public required int Helped { get; init; }

    /// <summary>Units for which it is worse (for a neutral metric: lower).</summary>
    public required int Hurt { get; init; }

    /// <summary>Units for which both are the same.</summary>
    public required int Equal { get; init; }
}
