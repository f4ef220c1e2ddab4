using System.Text.RegularExpressions;

namespace CoPe.Evaluation.Language;

/// <summary>Cuts text into words and marks as NLTK's <c>word_tokenize</c> does: sentences first, then the rules of the Penn Treebank in each.</summary>
/// <remarks>
/// Marcus, Santorini and Marcinkiewicz, "Building a Large Annotated Corpus of English: The Penn Treebank", 1993. A rule puts spaces where a cut
/// belongs; in the end the text is cut at spaces. Straight double quotes become <c>``</c> and <c>''</c>. The period of an abbreviation stays with
/// its word, that of a sentence's end is a token, which is why sentences matter.
/// </remarks>
public static class WordTokenizer
{
    static readonly (Regex Pattern, string With)[] BeforeEndSpace =
    [
        (TreebankRules.OpeningMark, " $1 "), (TreebankRules.QuoteAtStart, "``"), (TreebankRules.OpenedQuote, " $1 "),
        (TreebankRules.QuoteAfterOpener, "$1 `` "), (TreebankRules.QuoteBeforeLetter, "$1 $2"),
        (TreebankRules.FinalPeriod, "$1 $2 $3 "), (TreebankRules.ColonOrComma, " $1 $2"), (TreebankRules.FinalColonOrComma, " $1 "),
        (TreebankRules.Dots, " $0 "), (TreebankRules.Sign, " $0 "), (TreebankRules.FinalPeriodBeforeStraightMarks, "$1 $2$3 "),
        (TreebankRules.QuestionOrExclamation, " $0 "), (TreebankRules.QuoteBeforeSpace, "$1 ' "), (TreebankRules.Star, " $0 "),
        (TreebankRules.Bracket, " $0 "), (TreebankRules.DoubleDash, " -- "),
    ];

    static readonly (Regex Pattern, string With)[] AfterEndSpace =
    [
        (TreebankRules.ClosingMark, " $1 "), (TreebankRules.TwoQuotes, " '' "), (TreebankRules.StraightQuote, " '' "),
        (TreebankRules.ShortClitic, "$1 $2 "), (TreebankRules.LongClitic, "$1 $2 "),
        (TreebankRules.JoinedPair, " ${one} ${two} "), (TreebankRules.Wanna, " $1 $2 "), (TreebankRules.Tis, " $1 $2 "),
        (TreebankRules.Twas, " $1 $2 "),
    ];

    /// <summary>The tokens of a text, sentence after sentence.</summary>
    /// <param name="text">Any text.</param>
    public static IReadOnlyList<string> Tokenize(string text)
    {
        var tokens = new List<string>(text.Length / 5 + 1);
        foreach (var sentence in SentenceSplitter.Split(text)) AddTokens(sentence, tokens);
        return tokens;
    }

    /// <summary>The tokens of one sentence, or of a text taken as one.</summary>
    /// <param name="sentence">Any text.</param>
    public static IReadOnlyList<string> TokenizeSentence(string sentence)
    {
        var tokens = new List<string>(sentence.Length / 5 + 1);
        AddTokens(sentence, tokens);
        return tokens;
    }

    static void AddTokens(string sentence, List<string> tokens)
    {
        var spaced = sentence;
        foreach (var (pattern, with) in BeforeEndSpace) spaced = pattern.Replace(spaced, with);
        spaced = $" {spaced} ";
        foreach (var (pattern, with) in AfterEndSpace) spaced = pattern.Replace(spaced, with);
        for (int start = 0, at = 0; at <= spaced.Length; at++)
        {
            if (at < spaced.Length && !UnicodeSpace.Is(spaced[at])) continue;
            if (at > start) tokens.Add(spaced[start..at]);
            start = at + 1;
        }
    }
}
