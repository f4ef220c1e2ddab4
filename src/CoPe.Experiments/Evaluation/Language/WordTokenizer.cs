using System.Text.RegularExpressions;

namespace CoPe.Experiments.Evaluation.Language;

/// <summary>
/// Splits text into words and punctuation as NLTK's <c>word_tokenize</c> does: sentences first, then the rules of the
/// Penn Treebank in each.
/// </summary>
/// <remarks>
/// Marcus, Santorini and Marcinkiewicz, "Building a Large Annotated Corpus of English: The Penn Treebank", 1993. The
/// rules put spaces between tokens; in the end the text is split at spaces. Straight double quotes become <c>``</c> and
/// <c>''</c>. The period of an abbreviation stays with its word, that of a sentence's end is a token, which is why
/// sentences matter.
/// </remarks>
static class WordTokenizer
{
    static readonly (Regex Pattern, string With)[] BeforeEndSpace =
    [
        (TreebankRules.OpeningMark, " $1 "),
        (TreebankRules.QuoteAtStart, "``"),
        (TreebankRules.OpenedQuote, " $1 "),
        (TreebankRules.QuoteAfterOpener, "$1 `` "),
        (TreebankRules.QuoteBeforeLetter, "$1 $2"),
        (TreebankRules.FinalPeriod, "$1 $2 $3 "),
        (TreebankRules.ColonOrComma, " $1 $2"),
        (TreebankRules.FinalColonOrComma, " $1 "),
        (TreebankRules.Dots, " $0 "),
        (TreebankRules.Sign, " $0 "),
        (TreebankRules.FinalPeriodBeforeStraightMarks, "$1 $2$3 "),
        (TreebankRules.QuestionOrExclamation, " $0 "),
        (TreebankRules.QuoteBeforeSpace, "$1 ' "),
        (TreebankRules.Star, " $0 "),
        (TreebankRules.Bracket, " $0 "),
        (TreebankRules.DoubleDash, " -- "),
    ];

    static readonly (Regex Pattern, string With)[] AfterEndSpace =
    [
        (TreebankRules.ClosingMark, " $1 "),
        (TreebankRules.TwoQuotes, " '' "),
        (TreebankRules.StraightQuote, " '' "),
        (TreebankRules.ShortClitic, "$1 $2 "),
        (TreebankRules.LongClitic, "$1 $2 "),
        (TreebankRules.JoinedPair, " ${one} ${two} "),
        (TreebankRules.Wanna, " $1 $2 "),
        (TreebankRules.Tis, " $1 $2 "),
        (TreebankRules.Twas, " $1 $2 "),
    ];

    /// <summary>The tokens of a text, sentence after sentence.</summary>
    /// <param name="text">Any text.</param>
    public static IReadOnlyList<string> Tokenize(string text)
    {
        var tokens = new List<string>(text.Length / 5 + 1);
        foreach (var sentence in SentenceSplitter.Split(text))
        {
            AddTokens(sentence, tokens);
        }

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
        foreach (var (pattern, with) in BeforeEndSpace)
        {
            spaced = pattern.Replace(spaced, with);
        }

        spaced = $" {spaced} ";
        foreach (var (pattern, with) in AfterEndSpace)
        {
            spaced = pattern.Replace(spaced, with);
        }

        for (int start = 0, at = 0; at <= spaced.Length; at++)
        {
            if (at < spaced.Length && !UnicodeText.IsWhiteSpace(spaced[at]))
            {
                continue;
            }

            if (at > start)
            {
                tokens.Add(spaced[start..at]);
            }

            start = at + 1;
        }
    }
}

/// <summary>
/// The places where the Penn Treebank splits, as patterns; <see cref="WordTokenizer"/> has their order and
/// replacements.
/// </summary>
static partial class TreebankRules
{
    const string Word = @"\p{L}\p{N}_";
    const string Start = $"(?<![{Word}])";
    const string End = $"(?![{Word}])";
    const string Space = @"[\s\u001C-\u001F]";
    const string JoinedPairs = "(?<one>can)(?<two>not)|(?<one>d)(?<two>'ye)|(?<one>gim|lem)(?<two>me)";
    const string MoreJoinedPairs = "(?<one>gon)(?<two>na)|(?<one>got)(?<two>ta)|(?<one>more)(?<two>'n)";
    const RegexOptions AnyCase = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;

    [GeneratedRegex("([\u00AB\u201C\u2018\u201E]|`+)")]
    public static partial Regex OpeningMark { get; }

    [GeneratedRegex("^\"")]
    public static partial Regex QuoteAtStart { get; }

    [GeneratedRegex("(``)")]
    public static partial Regex OpenedQuote { get; }

    [GeneratedRegex("([ (\\[{<])(\"|'{2})")]
    public static partial Regex QuoteAfterOpener { get; }

    [GeneratedRegex($"(')(?!re|ve|ll|m|t|[s\u017F]|d|n)([{Word}]){End}", AnyCase)]
    public static partial Regex QuoteBeforeLetter { get; }

    [GeneratedRegex($"([^.])(\\.)([\\])}}>\"'\u00BB\u201D\u2019 ]*){Space}*$")]
    public static partial Regex FinalPeriod { get; }

    [GeneratedRegex(@"([:,])([^\d])", RegexOptions.Singleline)]
    public static partial Regex ColonOrComma { get; }

    [GeneratedRegex("([:,])$")]
    public static partial Regex FinalColonOrComma { get; }

    [GeneratedRegex(@"\.{2,}")]
    public static partial Regex Dots { get; }

    [GeneratedRegex("[;@#$%&]")]
    public static partial Regex Sign { get; }

    [GeneratedRegex($"([^.])(\\.)([\\])}}>\"']*){Space}*$")]
    public static partial Regex FinalPeriodBeforeStraightMarks { get; }

    [GeneratedRegex("[?!]")]
    public static partial Regex QuestionOrExclamation { get; }

    [GeneratedRegex("([^'])' ")]
    public static partial Regex QuoteBeforeSpace { get; }

    [GeneratedRegex(@"\*")]
    public static partial Regex Star { get; }

    [GeneratedRegex(@"[\][(){}<>]")]
    public static partial Regex Bracket { get; }

    [GeneratedRegex("--")]
    public static partial Regex DoubleDash { get; }

    [GeneratedRegex("([\u00BB\u201D\u2019])")]
    public static partial Regex ClosingMark { get; }

    [GeneratedRegex("''")]
    public static partial Regex TwoQuotes { get; }

    [GeneratedRegex("\"")]
    public static partial Regex StraightQuote { get; }

    [GeneratedRegex("([^' ])('[sSmMdD]|') ")]
    public static partial Regex ShortClitic { get; }

    [GeneratedRegex("([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ")]
    public static partial Regex LongClitic { get; }

    [GeneratedRegex($"{Start}(?:{JoinedPairs}|{MoreJoinedPairs}){End}", AnyCase)]
    public static partial Regex JoinedPair { get; }

    [GeneratedRegex($"{Start}(wan)(na)(?={Space})", AnyCase)]
    public static partial Regex Wanna { get; }

    [GeneratedRegex($" ('t)(is){End}", AnyCase)]
    public static partial Regex Tis { get; }

    [GeneratedRegex($" ('t)(was){End}", AnyCase)]
    public static partial Regex Twas { get; }
}
