namespace CoPe.Runs.Chat;

/// <summary>How a chat answers; may change from line to line.</summary>
public sealed record ChatOptions
{
    /// <summary>Weight of the task-adaptive model's log-probability, as in <c>decode.contrast</c>.</summary>
    public double Contrast
    {
        get;
        init => field = value is >= 0 and <= 10 ? value : throw new ArgumentOutOfRangeException(nameof(Contrast), value, $"contrast is {value}, expected 0 to 10.");
    } = 0.1;

    /// <summary>Most tokens of an answer; null takes those of the run.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>Words a line as the task words a history item, which is what the adapter was trained on; otherwise the line is the whole request.</summary>
    public bool IsWorded { get; init; } = true;

    /// <summary>The base model answers too.</summary>
    public bool ShowsBase { get; init; } = true;
}
