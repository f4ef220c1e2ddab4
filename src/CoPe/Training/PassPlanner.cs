namespace CoPe.Training;

/// <summary>
/// Splits the rows of a step into passes of similar lengths that keep to a budget of tokens. A user's rows are first split as if he were alone and the pieces
/// then packed, one piece of a user in a pass, so that what he draws in a pass does not depend on who trains beside him.
/// </summary>
internal static class PassPlanner
{
    /// <summary>Passes in which rows times longest row is at most <paramref name="maxTokens"/>; a row longer than that is a pass of its own.</summary>
    public static IReadOnlyList<IReadOnlyList<PlannedRow>> Split(IEnumerable<PlannedRow> rows, int maxTokens)
    {
        var passes = new List<List<PlannedRow>>();
        foreach (var piece in rows.GroupBy(row => row.User).SelectMany(ofUser => Pieces(ofUser, maxTokens)).OrderByDescending(piece => Width(piece[0])).ThenBy(piece => piece[0].User))
        {
            var open = passes.Find(pass => (pass.Count + piece.Count) * Width(pass[0]) <= maxTokens && !pass.Exists(row => row.User == piece[0].User));
            if (open is null) passes.Add([.. piece]);
            else open.AddRange(piece);
        }
        return [.. passes.Select(pass => pass.OrderBy(row => row.User).ThenBy(row => row.Example).ToArray())];
    }

    /// <summary>One user's rows, longest first, in pieces within the budget.</summary>
    static IEnumerable<List<PlannedRow>> Pieces(IEnumerable<PlannedRow> rows, int maxTokens)
    {
        var piece = new List<PlannedRow>();
        var ordinal = 0;
        foreach (var row in rows.OrderByDescending(Width).ThenBy(row => row.Example))
        {
            if (piece.Count > 0 && (piece.Count + 1) * Width(piece[0]) > maxTokens)
            {
                yield return piece;
                piece = [];
                ordinal++;
            }
            piece.Add(row with { Piece = ordinal });
        }
        yield return piece;
    }

    static long Width(PlannedRow row) => row.Row.Ids.Length;
}
