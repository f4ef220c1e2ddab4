namespace CoPe.Evaluation.Report;

/// <summary>Mean of one metric of one method over its queries.</summary>
public sealed record ResultCell
{
    /// <summary>Method, for example <c>CoPe</c>.</summary>
    public required string Method { get; init; }

    /// <summary>Metric, for example <c>ROUGE-L</c>.</summary>
    public required string Metric { get; init; }

    /// <summary>Arithmetic mean; NaN where nothing could be measured, shown as a dash.</summary>
    public required double Mean { get; init; }

    /// <summary>Standard error of the mean; NaN or 0 where it is unknown, and then it is not drawn.</summary>
    public double StandardError { get; init; } = double.NaN;

    /// <summary>Number of values averaged.</summary>
    public int Count { get; init; }

    /// <summary>Mean and standard error over users, each user one value; null where users are not known.</summary>
    public MeanWithError? OverUsers { get; init; }

    /// <summary>Standard deviation of the mean over the seeds of a recipe; null where there was one seed.</summary>
    public double? SeedDeviation { get; init; }
}
