namespace CoPe.Modeling;

/// <summary>
/// The tokens from which on an activated adapter acts (Greenewald et al., 2025, arXiv 2504.12397), as PEFT finds them:
/// the last occurrence counts.
/// </summary>
static class InvocationTokens
{
    /// <summary>Where a text without an occurrence begins to be acted on: nowhere.</summary>
    public const int Never = int.MaxValue;

    /// <summary>
    /// Index of the first token of the last occurrence in <paramref name="ids"/>, or <see cref="Never"/>.
    /// </summary>
    public static int FindLast(IReadOnlyList<int> ids, IReadOnlyList<int> tokens)
    {
        for (var start = ids.Count - tokens.Count; start >= 0; start--)
        {
            if (OccursAt(ids, start, tokens))
            {
                return start;
            }
        }

        return Never;
    }

    static bool OccursAt(IReadOnlyList<int> ids, int start, IReadOnlyList<int> tokens)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            if (ids[start + i] != tokens[i])
            {
                return false;
            }
        }

        return true;
    }
}
