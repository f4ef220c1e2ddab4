namespace CoPe.Json;

/// <summary>What a reader of JSON takes besides what the standard allows.</summary>
sealed record StrictJsonOptions
{
    /// <summary>For files whose content decides what is computed: nothing besides.</summary>
    public static StrictJsonOptions Default { get; } = new();

    /// <summary>For files of data and figures that Python programs write: their NaN and Infinity too.</summary>
    public static StrictJsonOptions Python { get; } = new() { AllowsPythonNumbers = true };

    /// <summary>Objects and arrays inside each other.</summary>
    public int MaxDepth { get; init; } = 64;

    /// <summary>
    /// Whether <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c> are numbers, as Python's json writes them. NaN, with
    /// which pandas marks a missing value, is read as null; the infinite ones are numbers out of range.
    /// </summary>
    public bool AllowsPythonNumbers { get; init; }

    /// <summary>Number of the text's first line, for messages.</summary>
    public long FirstLine { get; init; } = 1;

    /// <summary>Whether a key may stand twice in an object; the last one counts.</summary>
    public bool AllowsDuplicateKeys { get; init; }
}
