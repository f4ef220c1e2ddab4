using CoPe.Data.Checking;
using CoPe.Data.Tasks;

namespace CoPe.Data.Importing;

/// <summary>What an import came to.</summary>
public sealed record ImportReport
{
    /// <summary>The task.</summary>
    public required TaskDefinition Definition { get; init; }

    /// <summary>Rows of the source that were used.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows that were left out, and whatever was changed: the first of them, each with its place.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>How many there are of these.</summary>
    public required int ProblemCount { get; init; }

    /// <summary>The check of what was written, and what it took out.</summary>
    public required CheckReport Check { get; init; }

    /// <summary>The task's folder.</summary>
    public required string Folder { get; init; }
}
