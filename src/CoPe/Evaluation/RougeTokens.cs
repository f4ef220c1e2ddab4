using CoPe.Evaluation.Language;

namespace CoPe.Evaluation;

/// <summary>The tokens ROUGE compares: runs of the letters a to z and the digits 0 to 9, in lower case.</summary>
static class RougeTokens
{
    const char Kelvin = '\u212A', CapitalIWithDot = '\u0130';

    /// <summary>Tokens of a whole text.</summary>
    public static string[] Of(string text, bool useStemmer = false) => [.. Cut(text, useStemmer)];

    /// <summary>Tokens of each line that is not empty; a line of marks alone gives an empty array.</summary>
    public static string[][] OfLines(string text, bool useStemmer = false) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Of(line, useStemmer))];

    static IEnumerable<string> Cut(string text, bool useStemmer)
    {
        var lower = new char[text.Length];
        for (var i = 0; i < text.Length; i++) lower[i] = Lower(text[i]);
        for (int start = 0, at = 0; at <= text.Length; at++)
        {
            if (at < text.Length && char.IsAsciiLetterOrDigit(lower[at]))
            {
                if (text[at] != CapitalIWithDot) continue;
                yield return Stem(new(lower, start, at + 1 - start), useStemmer);    // its lower case is i and a dot above, which ends the run
            }
            else if (at > start) yield return Stem(new(lower, start, at - start), useStemmer);
            start = at + 1;
        }
    }

    static char Lower(char c) => c switch
    {
        Kelvin => 'k',
        CapitalIWithDot => 'i',
        _ => char.IsAscii(c) ? char.ToLowerInvariant(c) : c,
    };

    static string Stem(string token, bool useStemmer) => useStemmer && token.Length > 3 ? PorterStemmer.Stem(token) : token;
}
