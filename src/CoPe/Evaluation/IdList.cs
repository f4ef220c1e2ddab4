namespace CoPe.Evaluation;

/// <summary>Ids in a message: the first twenty, then how many more.</summary>
static class IdList
{
    const int Shown = 20;

    public static string Of(IReadOnlyList<string> ids, string noun) =>
        $"{ids.Count} {noun}{(ids.Count == 1 ? "" : "s")} ({string.Join(", ", ids.Take(Shown))}{(ids.Count > Shown ? $" and {ids.Count - Shown} more" : "")})";
}
