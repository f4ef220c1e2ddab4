namespace CoPe.Evaluation.Report;

/// <summary>One line of a training plot. Curves of equal <see cref="Stage"/> and <see cref="Quantity"/> share a panel.</summary>
public sealed record TrainingCurve
{
    /// <summary>Stage, for example <c>TAM</c>, <c>SFT (mean over users)</c> or <c>DPO</c>.</summary>
    public required string Stage { get; init; }

    /// <summary>What is drawn, for example <c>loss</c>, <c>reward margin</c> or <c>accuracy</c>.</summary>
    public required string Quantity { get; init; }

    /// <summary>Name of the line where a panel has several, for example <c>chosen</c>.</summary>
    public string Series { get; init; } = "";

    /// <summary>The points, by rising step.</summary>
    public IReadOnlyList<CurvePoint> Points { get; init; } = [];
}
