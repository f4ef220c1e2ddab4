namespace CoPe.Evaluation.Report;

/// <summary>A fact of the run, for example a seed, a version, a hash or a machine.</summary>
public sealed record ReportFact
{
    /// <summary>Heading it stands under, for example <c>Versions</c>.</summary>
    public required string Group { get; init; }

    /// <summary>What it is, for example <c>libtorch</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The value as text.</summary>
    public required string Value { get; init; }
}
