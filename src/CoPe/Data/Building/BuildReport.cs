using CoPe.Data.Checking;

namespace CoPe.Data.Building;

/// <summary>What a build came to: counts before and after.</summary>
public sealed record BuildReport
{
    /// <summary>Examples read.</summary>
    public required int Examples { get; init; }

    /// <summary>Users they are of.</summary>
    public required int Users { get; init; }

    /// <summary>Different history items of them.</summary>
    public required int Items { get; init; }

    /// <summary>Examples without a gold, which are left out.</summary>
    public required int WithoutGold { get; init; }

    /// <summary>Users whose items do not all have a date, and stay in the order of the file.</summary>
    public required int Undated { get; init; }

    /// <summary>Other users that were not drawn.</summary>
    public required int NotDrawn { get; init; }

    /// <summary>Entries left out, the first of them with their places.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>How many entries were left out.</summary>
    public required int ProblemCount { get; init; }

    /// <summary>The check of what was written, and what it took out.</summary>
    public required CheckReport Check { get; init; }
}
