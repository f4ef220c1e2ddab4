using CoPe.Data.Tasks;
using CoPe.Tokens;

namespace CoPe.Data.Checking;

/// <summary>What is checked against what.</summary>
public sealed record CheckOptions
{
    /// <summary>The task.</summary>
    public required TaskDefinition Definition { get; init; }

    /// <summary>File of the test users; null where there is none.</summary>
    public string? Users { get; init; }

    /// <summary>File of the other users; null where there is none.</summary>
    public string? Others { get; init; }

    /// <summary>Label file; null where there is none.</summary>
    public string? Labels { get; init; }

    /// <summary>Files that a run needs and that are not there.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>Counts tokens; null counts words alone.</summary>
    public ConversationEncoder? Encoder { get; init; }

    /// <summary>Words after which a field is cut, as in <c>sft.max_words</c>.</summary>
    public int MaxWords { get; init; } = 768;

    /// <summary>Tokens after which an example is cut, as in <c>sft.cut_off</c>.</summary>
    public int CutOff { get; init; } = 2048;

    /// <summary>Folder of a clean copy; null makes none.</summary>
    public string? Fix { get; init; }

    /// <summary>Places kept for each rule; all are counted.</summary>
    public int PlacesPerRule { get; init; } = 1000;

    /// <summary>Told of the work.</summary>
    public IProgress<StageProgress>? Progress { get; init; }

    /// <summary>Asks for an early end.</summary>
    public CancellationToken Cancellation { get; init; }
}
