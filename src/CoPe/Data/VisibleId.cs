namespace CoPe.Data;

/// <summary>What an id must be: it names folders and lines, so it must be visible.</summary>
static class VisibleId
{
    /// <summary>What errors say is expected.</summary>
    public const string Expected = "an id of visible characters";

    /// <summary>What is wrong with an id, as errors say it; null where nothing is.</summary>
    public static string? Fault(string id) => id.Any(char.IsControl) ? "an id with control characters" : string.IsNullOrWhiteSpace(id) ? "an empty id" : null;
}
