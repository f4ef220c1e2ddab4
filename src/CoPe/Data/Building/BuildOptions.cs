using CoPe.Data.Importing;
using CoPe.Data.Tasks;

namespace CoPe.Data.Building;

/// <summary>Published files, and the setting that is made of them.</summary>
public sealed record BuildOptions
{
    /// <summary>The task.</summary>
    public required TaskDefinition Definition { get; init; }

    /// <summary>Questions files, or files with questions and outputs, of all splits wanted.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>Outputs files by questions file; where none is named, the golds stand in the file itself.</summary>
    public IReadOnlyDictionary<string, string> Outputs { get; init; } = new Dictionary<string, string>();

    /// <summary>Folder that gets the task's folder.</summary>
    public required string Target { get; init; }

    /// <summary>Test users: those with the longest histories.</summary>
    public int TestUsers { get; init => field = AtLeastOne(value, nameof(TestUsers)); } = 100;

    /// <summary>Most other users, drawn by the seed; null takes all.</summary>
    public int? Others { get; init => field = value is null ? null : AtLeastOne(value.Value, nameof(Others)); }

    /// <summary>Most history items of another user, the latest; null keeps all. No stage reads them.</summary>
    public int? OtherItems { get; init; }

    /// <summary>Decides between users with histories of one length, and which others are drawn.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>Field of the user; null looks for the known ones.</summary>
    public string? UserField { get; init; }

    /// <summary>Field of a profile item's date; null looks for the known ones.</summary>
    public string? DateField { get; init; }

    /// <summary>Meaning of dates with slashes.</summary>
    public DateOrder DateOrder { get; init; }

    /// <summary>Told of the work.</summary>
    public IProgress<StageProgress>? Progress { get; init; }

    /// <summary>Asks for an early end.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>The sources in words, for what is known of all of them together.</summary>
    internal string SourceNames => Sources.Count == 1 ? Sources[0] : $"{Sources[0]} and {Sources.Count - 1} more";

    static int AtLeastOne(int value, string name) => value >= 1 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected 1 or more.");
}
