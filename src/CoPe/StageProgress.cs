namespace CoPe;

/// <summary>How far long work has come, for whoever shows it.</summary>
public sealed record StageProgress
{
    /// <summary>Stage name, for example <c>train sft</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>The user whose part it is, or how many at once; null where the stage has none.</summary>
    public string? User { get; init; }

    /// <summary>Units done.</summary>
    public required long Done { get; init; }

    /// <summary>Units in all.</summary>
    public required long Total { get; init; }

    /// <summary>Unit of <see cref="Done"/>, for example <c>steps</c>.</summary>
    public string Unit { get; init; } = "steps";

    /// <summary>
    /// Figures of this moment by name, for example <c>loss</c>, <c>rewards/margins</c>, <c>lr</c>, <c>tokens/s</c>.
    /// </summary>
    public IReadOnlyDictionary<string, double> Figures { get; init; } = new Dictionary<string, double>();
}
