namespace CoPe.Evaluation.Report;

/// <summary>Paired test of two methods on one metric.</summary>
public sealed record SignificanceRow
{
    /// <summary>The method tested.</summary>
    public required string Method { get; init; }

    /// <summary>The method it is tested against.</summary>
    public required string Baseline { get; init; }

    /// <summary>Metric of the test.</summary>
    public required string Metric { get; init; }

    /// <summary>Mean of the method less mean of the baseline.</summary>
    public required double Difference { get; init; }

    /// <summary>Lower end of the 95 % bootstrap interval of the difference; NaN where there is none.</summary>
    public double Low { get; init; } = double.NaN;

    /// <summary>Upper end of that interval; NaN where there is none.</summary>
    public double High { get; init; } = double.NaN;

    /// <summary>Two-sided p-value of the paired bootstrap; NaN where it was not run.</summary>
    public double BootstrapP { get; init; } = double.NaN;

    /// <summary>Two-sided p-value of the sign test; NaN where it was not run.</summary>
    public double SignP { get; init; } = double.NaN;

    /// <summary>Users for whom the method is better.</summary>
    public int UsersHelped { get; init; }

    /// <summary>Users for whom the method is worse.</summary>
    public int UsersHurt { get; init; }

    /// <summary>Users for whom both are equal.</summary>
    public int UsersEqual { get; init; }
}
