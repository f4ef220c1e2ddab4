using System.Text.RegularExpressions;

namespace CoPe.Evaluation.Language;

/// <summary>The places where the Penn Treebank cuts, as patterns; <see cref="WordTokenizer"/> has their order and what stands there after.</summary>
static partial class TreebankRules
{
    const string Word = @"\p{L}\p{N}_";
    const string Start = $"(?<![{Word}])", End = $"(?![{Word}])";
    const string Space = @"[\s\u001C-\u001F]";
    const RegexOptions AnyCase = RegexOptions.IgnoreCase | RegexOptions.CultureInvariant;

    [GeneratedRegex("([\u00AB\u201C\u2018\u201E]|`+)")] public static partial Regex OpeningMark { get; }

    [GeneratedRegex("^\"")] public static partial Regex QuoteAtStart { get; }

    [GeneratedRegex("(``)")] public static partial Regex OpenedQuote { get; }

    [GeneratedRegex("([ (\\[{<])(\"|'{2})")] public static partial Regex QuoteAfterOpener { get; }

    [GeneratedRegex($"(')(?!re|ve|ll|m|t|[s\u017F]|d|n)([{Word}]){End}", AnyCase)] public static partial Regex QuoteBeforeLetter { get; }

    [GeneratedRegex($"([^.])(\\.)([\\])}}>\"'\u00BB\u201D\u2019 ]*){Space}*$")] public static partial Regex FinalPeriod { get; }

    [GeneratedRegex(@"([:,])([^\d])", RegexOptions.Singleline)] public static partial Regex ColonOrComma { get; }

    [GeneratedRegex("([:,])$")] public static partial Regex FinalColonOrComma { get; }

    [GeneratedRegex(@"\.{2,}")] public static partial Regex Dots { get; }

    [GeneratedRegex("[;@#$%&]")] public static partial Regex Sign { get; }

    [GeneratedRegex($"([^.])(\\.)([\\])}}>\"']*){Space}*$")] public static partial Regex FinalPeriodBeforeStraightMarks { get; }

    [GeneratedRegex("[?!]")] public static partial Regex QuestionOrExclamation { get; }

    [GeneratedRegex("([^'])' ")] public static partial Regex QuoteBeforeSpace { get; }

    [GeneratedRegex(@"\*")] public static partial Regex Star { get; }

    [GeneratedRegex(@"[\][(){}<>]")] public static partial Regex Bracket { get; }

    [GeneratedRegex("--")] public static partial Regex DoubleDash { get; }

    [GeneratedRegex("([\u00BB\u201D\u2019])")] public static partial Regex ClosingMark { get; }

    [GeneratedRegex("''")] public static partial Regex TwoQuotes { get; }

    [GeneratedRegex("\"")] public static partial Regex StraightQuote { get; }

    [GeneratedRegex("([^' ])('[sSmMdD]|') ")] public static partial Regex ShortClitic { get; }

    [GeneratedRegex("([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ")] public static partial Regex LongClitic { get; }

    [GeneratedRegex($"{Start}(?:(?<one>can)(?<two>not)|(?<one>d)(?<two>'ye)|(?<one>gim|lem)(?<two>me)|(?<one>gon)(?<two>na)|(?<one>got)(?<two>ta)|(?<one>more)(?<two>'n)){End}", AnyCase)] public static partial Regex JoinedPair { get; }

    [GeneratedRegex($"{Start}(wan)(na)(?={Space})", AnyCase)] public static partial Regex Wanna { get; }

    [GeneratedRegex($" ('t)(is){End}", AnyCase)] public static partial Regex Tis { get; }

    [GeneratedRegex($" ('t)(was){End}", AnyCase)] public static partial Regex Twas { get; }
}
