namespace CoPe.Training;

/// <summary>Figures of one user's step, for one line of a metrics file.</summary>
public sealed record MetricRow
{
    /// <summary>Stage, for example <c>train sft</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>Step, counted from 1; 0 is before the first.</summary>
    public required long Step { get; init; }

    /// <summary>Figures by name: <c>loss</c>, <c>grad_norm</c>, <c>lr</c>, <c>tokens/s</c> (of all users together), <c>rewards/margins</c>, <c>development loss</c>, ...</summary>
    public required IReadOnlyDictionary<string, double> Figures { get; init; }
}
