using CoPe.Data.Tasks;

namespace CoPe.Data.Importing;

/// <summary>What a source's columns mean, and how its authors are divided.</summary>
public sealed record ImportOptions
{
    /// <summary>A CSV, JSON lines or JSON file, or a folder of texts.</summary>
    public required string Source { get; init; }

    /// <summary>The task; null makes one from the columns.</summary>
    public TaskDefinition? Definition { get; init; }

    /// <summary>Name of the task that is made.</summary>
    public string Name { get; init; } = "imported";

    /// <summary>Column of the author.</summary>
    public required string Author { get; init; }

    /// <summary>Column of the date; null takes the order of the source as time.</summary>
    public string? Date { get; init; }

    /// <summary>Meaning of dates with slashes.</summary>
    public DateOrder DateOrder { get; init; }

    /// <summary>Column of the text's id; null numbers them.</summary>
    public string? Id { get; init; }

    /// <summary>Columns that make the request, as <c>column</c> or <c>field=column</c>.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>Column that the author wrote, as <c>column</c> or <c>field=column</c>.</summary>
    public required string Output { get; init; }

    /// <summary>Wording of the request, with the input fields in braces; null makes one.</summary>
    public string? Prompt { get; init; }

    /// <summary>System text.</summary>
    public string? System { get; init; }

    /// <summary>Puts hashes in the place of author ids and leaves names out.</summary>
    public IdHash? Hash { get; init; }

    /// <summary>How authors and their texts are divided.</summary>
    public SplitOptions Split { get; init; } = new();

    /// <summary>Folder that gets the task's folder.</summary>
    public required string Target { get; init; }

    /// <summary>Told of the work.</summary>
    public IProgress<StageProgress>? Progress { get; init; }

    /// <summary>Asks for an early end.</summary>
    public CancellationToken Cancellation { get; init; }
}
