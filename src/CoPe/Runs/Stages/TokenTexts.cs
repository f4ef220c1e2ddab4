using CoPe.Tokens;

namespace CoPe.Runs.Stages;

/// <summary>The text that each id adds to an answer. Ids that end inside a character (an emoji takes several) make one piece with those that complete it.</summary>
static class TokenTexts
{
    /// <summary>Ids before a place that decide how one there is spelled.</summary>
    const int Context = 8;

    const char Unfinished = '\uFFFD';

    /// <summary>Pieces of the answer in order: their text, the place of their first id, and how many they are.</summary>
    public static IReadOnlyList<(string Text, int First, int Count)> Of(Tokenizer tokenizer, IReadOnlyList<int> ids)
    {
        var pieces = new List<(string, int, int)>();
        var (before, first) = ("", 0);
        for (var i = 0; i < ids.Count; i++)
        {
            var text = tokenizer.Decode(ids.Take(i + 1), skipSpecialTokens: false);
            if (text.EndsWith(Unfinished) && i < ids.Count - 1) continue;
            pieces.Add((text.StartsWith(before, StringComparison.Ordinal) ? text[before.Length..] : tokenizer.Decode(ids.Take(i + 1).Skip(first), skipSpecialTokens: false), first, i + 1 - first));
            (before, first) = (text, i + 1);
        }

        return pieces;
    }

    /// <summary>The text that another id would add at a place of the answer.</summary>
    public static string After(Tokenizer tokenizer, IReadOnlyList<int> ids, int place, int id)
    {
        var context = ids.Take(place).TakeLast(Context).ToList();
        var (before, text) = (tokenizer.Decode(context, skipSpecialTokens: false), tokenizer.Decode(context.Append(id), skipSpecialTokens: false));
        return text.StartsWith(before, StringComparison.Ordinal) ? text[before.Length..] : tokenizer.Decode([id], skipSpecialTokens: false);
    }
}
