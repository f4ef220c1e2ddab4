namespace CoPe.Experiments.Tasks;

/// <summary>
/// A data or prompt file does not hold what is needed: says where, what was found, what was expected and what to do.
/// </summary>
public sealed class DataFileException : Exception
{
    /// <summary>With the one-line message of its parts.</summary>
    public DataFileException(
        DataFileLocation location,
        string found,
        string expected,
        string advice,
        Exception? inner = null
    )
        : base(MessageText.ToOneLine($"{location}: found {found}, expected {expected}. {advice}"), inner)
    {
        Location = location;
        Found = found;
        Expected = expected;
        Advice = advice;
    }

    /// <summary>File, and within it line, user, item and field as far as they are known.</summary>
    public DataFileLocation Location { get; }

    /// <summary>What was found.</summary>
    public string Found { get; }

    /// <summary>What was expected.</summary>
    public string Expected { get; }

    /// <summary>What to do about it: a whole sentence.</summary>
    public string Advice { get; }
}

/// <summary>A location in a data file, as exact as it is known.</summary>
public sealed record DataFileLocation
{
    /// <summary>Path of the file or folder.</summary>
    public required string File { get; init; }

    /// <summary>Line, counted from 1.</summary>
    public long? Line { get; init; }

    /// <summary>User identifier, or <c>number 12</c> where the user has none yet.</summary>
    public string? User { get; init; }

    /// <summary>Identifier of the history item, query or label.</summary>
    public string? Item { get; init; }

    /// <summary>Field name.</summary>
    public string? Field { get; init; }

    /// <summary>For example <c>data/x.json, line 7, user 12, item 5, field "title"</c>.</summary>
    public override string ToString() => string.Join(", ", Parts());

    IEnumerable<string> Parts()
    {
        yield return File;
        if (Line is { } line)
        {
            yield return $"line {line}";
        }

        if (User is { } user)
        {
            yield return $"user {user}";
        }

        if (Item is { } item)
        {
            yield return $"item {item}";
        }

        if (Field is { } field)
        {
            yield return $"field \"{field}\"";
        }
    }
}
