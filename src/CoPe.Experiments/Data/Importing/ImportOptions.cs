using System.Security.Cryptography;
using System.Text;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>What a source's columns mean, and how its authors are divided.</summary>
sealed record ImportOptions
{
    /// <summary>A CSV, JSON lines or JSON file, or a folder of texts.</summary>
    public required string Source { get; init; }

    /// <summary>The task; null makes one from the columns.</summary>
    public TaskDefinition? Definition { get; init; }

    /// <summary>Name of the task that is made.</summary>
    public string TaskName { get; init; } = "imported";

    /// <summary>Column of the author.</summary>
    public required string AuthorColumn { get; init; }

    /// <summary>Column of the date; null takes the order of the source as time.</summary>
    public string? DateColumn { get; init; }

    /// <summary>Meaning of dates with slashes.</summary>
    public DateOrder DateOrder { get; init; }

    /// <summary>Column of the text's id; null numbers them.</summary>
    public string? IdColumn { get; init; }

    /// <summary>Columns that make the request, as <c>column</c> or <c>field=column</c>.</summary>
    public IReadOnlyList<string> InputColumns { get; init; } = [];

    /// <summary>Column that the author wrote, as <c>column</c> or <c>field=column</c>.</summary>
    public required string OutputColumn { get; init; }

    /// <summary>Wording of the request, with the input fields in braces; null makes one.</summary>
    public string? PromptWording { get; init; }

    /// <summary>System text.</summary>
    public string? SystemPrompt { get; init; }

    /// <summary>Puts hashes in the place of author ids and leaves names out.</summary>
    public IdHasher? IdHasher { get; init; }

    /// <summary>How authors and their texts are divided.</summary>
    public UserSplitOptions Split { get; init; } = new();

    /// <summary>Folder that gets the task's folder.</summary>
    public required string Target { get; init; }

    /// <summary>Receives the progress of the work.</summary>
    public IProgress<StageProgress>? Progress { get; init; }

    /// <summary>Cancels the work.</summary>
    public CancellationToken CancellationToken { get; init; }
}

/// <summary>
/// Replaces user ids by hashes: the same id gives the same hash under the same key, and without the key nobody can try
/// names out.
/// </summary>
/// <param name="key">The secret.</param>
sealed class IdHasher(byte[] key)
{
    const int KeyBytes = 32;

    /// <summary>With the key of a file, which is created where there is none.</summary>
    public static IdHasher LoadOrCreate(string path)
    {
        if (!File.Exists(path))
        {
            AtomicFile.WriteText(path, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes)) + "\n");
        }

        try
        {
            return new(Convert.FromHexString(File.ReadAllText(path).Trim()));
        }
        catch (FormatException error)
        {
            throw new DataFileException(
                new() { File = path },
                "no hexadecimal digits",
                "the key that an earlier import wrote",
                "Restore it, or delete it to start with new hashes.",
                error
            );
        }
    }

    /// <summary><code>"u" + first 16 hexadecimal digits of HMAC-SHA256(key, id)</code></summary>
    public string Hash(string id) =>
        "u" + Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(id)))[..16];
}

/// <summary>The result of an import.</summary>
sealed record ImportReport
{
    /// <summary>The task.</summary>
    public required TaskDefinition Definition { get; init; }

    /// <summary>Rows of the source that were used.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows that were left out or changed: the first of them, each with its location.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>How many there are of these.</summary>
    public required int ProblemCount { get; init; }

    /// <summary>The check of what was written, and what it removed.</summary>
    public required CheckReport Check { get; init; }

    /// <summary>The task's folder.</summary>
    public required string Folder { get; init; }
}
