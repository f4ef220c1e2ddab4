namespace CoPe.Tokens.Pipeline;

/// <summary>What becomes of the stretches that a pattern matches.</summary>
internal enum SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous }

/// <summary>Turns matches into pieces.</summary>
internal static class SplitBehaviors
{
    public static SplitBehavior Read(JsonPart part) =>
        Enum.TryParse<SplitBehavior>(part.Text(), out var behavior) ? behavior
            : throw part.Unknown("behavior", part.Text(), string.Join(", ", Enum.GetNames<SplitBehavior>()));

    /// <summary>Cuts a piece at its matches (in order, not overlapping).</summary>
    public static void Cut(TextPiece piece, IEnumerable<(int Start, int Length)> matches, SplitBehavior behavior, bool invert, List<TextPiece> output)
    {
        var stretches = new List<(int Start, int Length, bool Match)>();
        var done = 0;
        foreach (var (start, length) in matches)
        {
            if (start > done) stretches.Add((done, start - done, invert));
            if (length > 0) stretches.Add((start, length, !invert));
            done = start + length;
        }
        if (done < piece.Length) stretches.Add((done, piece.Length - done, invert));
        foreach (var (start, length) in Join(stretches, behavior)) output.Add(piece.Part(start, length));
    }

    static IEnumerable<(int Start, int Length)> Join(List<(int Start, int Length, bool Match)> stretches, SplitBehavior behavior)
    {
        for (var i = 0; i < stretches.Count; i++)
        {
            var (start, length, match) = stretches[i];
            if (behavior == SplitBehavior.Removed && match) continue;
            var end = start + length;
            while (i + 1 < stretches.Count && Joins(stretches[i].Match, stretches[i + 1].Match, behavior))
            {
                i++;
                end = stretches[i].Start + stretches[i].Length;
            }
            yield return (start, end - start);
        }
    }

    static bool Joins(bool match, bool nextMatch, SplitBehavior behavior) => behavior switch
    {
        SplitBehavior.MergedWithPrevious => !match && nextMatch,
        SplitBehavior.MergedWithNext => match && !nextMatch,
        SplitBehavior.Contiguous => match == nextMatch,
        _ => false,
    };
}
