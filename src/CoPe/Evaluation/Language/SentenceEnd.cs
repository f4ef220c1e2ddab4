using System.Text.RegularExpressions;

namespace CoPe.Evaluation.Language;

/// <summary>Whether a sentence ends inside a few tokens: a word with its mark, and what follows.</summary>
/// <remarks>
/// A question or exclamation mark ends one, and so does the period of any word that is no abbreviation, whatever follows. After an abbreviation or
/// an ellipsis one ends where the next word has a capital and is known as an ordinary word and as no name, or often opens sentences. After a
/// number none ends before a small letter; after an initial none before a small letter or a name.
/// </remarks>
static partial class SentenceEnd
{
    /// <summary>Whether a sentence ends before the last token of the context.</summary>
    public static bool IsIn(string context)
    {
        string? token = null;
        foreach (Match next in Token.Matches(context))
        {
            if (token is not null && Ends(token, next.Value)) return true;
            token = next.Value;
        }
        return false;
    }

    static bool Ends(string token, string next)
    {
        if (token is "." or "?" or "!") return true;
        if (token[^1] != '.') return false;
        if (IsInitial(token)) return EndsAfterInitial(token, next);
        var isAbbreviation = IsAbbreviation(token);
        if (isAbbreviation || token.EndsWith("..", StringComparison.Ordinal)) return OpensSentence(next);
        return !IsNumber(token) || !CannotOpen(next);
    }

    static bool EndsAfterInitial(string token, string next)
    {
        if (Abbreviations.EndsNoSentence(char.ToLowerInvariant(token[0])) || CannotOpen(next)) return false;
        return !(char.IsUpper(next[0]) && !CaseOf(next).HasFlag(WordCase.Lower));
    }

    static bool IsAbbreviation(string token)
    {
        var word = Lowercase.Of(token[..^1]);
        return !word.EndsWith('.') && (Abbreviations.Contains(word) || Abbreviations.Contains(word[(word.LastIndexOf('-') + 1)..]));
    }

    static bool OpensSentence(string next) => char.IsUpper(next[0])
        && (Abbreviations.OpensSentences(Lowercase.Of(next)) || CaseOf(next) == WordCase.Lower);

    static bool CannotOpen(string next) => next is ";" or ":" or "," or "." or "!" or "?" || char.IsLower(next[0]);

    static WordCase CaseOf(string word)
    {
        var form = Lowercase.Of(word.Length > 1 ? word.TrimEnd('.') : word);
        return Abbreviations.OpensSentences(form) ? WordCase.Lower : WordNet.CaseOf(form);
    }

    static bool IsInitial(string token) => token.Length == 2 && char.IsLetter(token[0]);

    static bool IsNumber(string token) => Number.IsMatch(token);

    [GeneratedRegex("^-?[.,]?\\d[\\d,.-]*\\.?$")]
    private static partial Regex Number { get; }

    /// <summary>Dashes and dots; or a word to its end, a space, a mark, or a comma before one of these; or one character.</summary>
    [GeneratedRegex("-{2,}|\\.{2,}|(?:\\.\\s){2,}\\.|(?![(\"`{\\[:;&#*@)}\\]\\-,\\s])\\S+?(?=\\s|$|[)\";}\\]*:@'({\\[!?]|-{2,}|\\.{2,}|(?:\\.\\s){2,}\\.|,(?=$|\\s|[)\";}\\]*:@'({\\[!?]|-{2,}|\\.{2,}|(?:\\.\\s){2,}\\.))|\\S")]
    private static partial Regex Token { get; }
}
