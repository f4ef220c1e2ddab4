namespace CoPe.Data;

/// <summary>How a task's files are read.</summary>
public sealed record LampReadOptions
{
    /// <summary>Keep only the last (newest) items of every history; null keeps all.</summary>
    public int? HistoryCap { get; init => field = AtLeastOne(value, nameof(HistoryCap)); }

    /// <summary>Keep only the first test users of the file; null keeps all. The file is not read beyond them.</summary>
    public int? MaxUsers { get; init => field = AtLeastOne(value, nameof(MaxUsers)); }

    /// <summary>Whether a test user, by his id, is passed over as if the file did not hold him: he is none of <see cref="MaxUsers"/>, and a file of such users alone gives none. Null passes over nobody.</summary>
    public Func<string, bool>? Except { get; init; }

    /// <summary>Keep only the first other users of the file; null keeps all. The file is not read beyond them; for 0 it is not read at all and may be missing.</summary>
    public int? MaxOthers { get; init => field = value is null or >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(MaxOthers), value, $"MaxOthers is {value}, expected 0 or more, or null for all."); }

    /// <summary>Whether every query of a test user must have a gold text, in the query or in the label file; turn off to predict where no gold is known.</summary>
    public bool RequireGolds { get; init; } = true;

    /// <summary>Whether every test user must have a history; turn off to score where histories are not known.</summary>
    public bool RequireHistory { get; init; } = true;

    /// <summary>Called with the reason for each user who is left out because he has no history (test users) or no query (all users); null refuses the file instead.</summary>
    public Action<DataFileException>? LeaveOut { get; init; }

    static int? AtLeastOne(int? value, string name) =>
        value is null or >= 1 ? value : throw new ArgumentOutOfRangeException(name, value, $"{name} is {value}, expected 1 or more, or null for all.");
}
