using System.Text.RegularExpressions;

namespace CoPe.Chat;

/// <summary>The marks between which a model reasons before it answers.</summary>
/// <param name="Open">What begins the reasoning; null where nothing does and only its end is marked.</param>
/// <param name="Close">What ends it.</param>
sealed record ReasoningMarks(string? Open, string Close);

/// <summary>
/// How such marks are written: <c>&lt;think&gt;</c> and <c>&lt;/think&gt;</c>, <c>[THINK]</c> and <c>[/THINK]</c>,
/// <c>&lt;|begin_of_thought|&gt;</c> and <c>&lt;|end_of_thought|&gt;</c>, and whatever else is built like these.
/// </summary>
static partial class ReasoningMarkNames
{
    static readonly (string Begin, string End)[] Opposites =
    [
        ("begin", "end"),
        ("start", "end"),
        ("start", "stop"),
        ("open", "close"),
        ("prefix", "suffix"),
    ];

    static readonly HashSet<string> ReasoningWords =
    [
        "think",
        "thinking",
        "thought",
        "thoughts",
        "reason",
        "reasoning",
        "reflection",
        "scratchpad",
        "inner",
    ];

    static readonly HashSet<string> AnswerWords = ["answer", "response", "solution", "output", "final"];

    static readonly HashSet<string> ClosingWords = ["end", "stop", "close", "suffix"];

    /// <summary>Words that stand in a mark beside those that say what it is about.</summary>
    static readonly HashSet<string> FillWords = ["begin", "start", "open", "prefix", "of", "the", .. ClosingWords];

    /// <summary>Everything in a text that is written as a mark, in brackets.</summary>
    public static IEnumerable<string> FindAll(string text) =>
        Mark().Matches(text).Select(match => match.Value).Where(mark => mark.Any(char.IsLetter)).Distinct();

    /// <summary>The mark at the end of a text, white space aside; null where there is none.</summary>
    public static string? FindLast(string text)
    {
        var trimmed = text.TrimEnd();
        var last = Mark().Matches(trimmed).LastOrDefault();
        return last is not null && last.Index + last.Length == trimmed.Length ? last.Value : null;
    }

    /// <summary>The mark at the start of a text by whose name reasoning begins; null where there is none.</summary>
    public static string? FindNamedOpening(string text) =>
        FindFirst(text) is { } mark && IsNamedOpening(mark) ? mark : null;

    /// <summary>The mark at the start of a text by whose name an answer begins; null where there is none.</summary>
    public static string? FindNamedAnswer(string text) =>
        FindFirst(text) is { } mark && !IsClosing(mark) && IsNamed(mark, AnswerWords) ? mark : null;

    static string? FindFirst(string text)
    {
        var isMark = text.Length > 0 && "<[◁".Contains(text[0], StringComparison.Ordinal);
        return isMark && Mark().Match(text) is { Success: true, Index: 0 } first ? first.Value : null;
    }

    /// <summary>The marks of a text by whose name reasoning ends.</summary>
    public static IEnumerable<string> FindNamedClosings(string text) =>
        FindAll(text).Where(mark => IsClosing(mark) && IsNamed(mark, ReasoningWords));

    /// <summary>The marks that are named for reasoning and come in pairs.</summary>
    public static IReadOnlyList<ReasoningMarks> FindPairs(IEnumerable<string> marks)
    {
        var known = marks.ToHashSet(StringComparer.Ordinal);
        return
        [
            .. known
                .Where(mark => mark.Length > 2 && IsNamedOpening(mark))
                .SelectMany(open =>
                    GetClosings(open).Where(known.Contains).Select(close => new ReasoningMarks(open, close))
                )
                .Distinct(),
        ];
    }

    /// <summary>Whether reasoning begins here by the mark's name.</summary>
    public static bool IsNamedOpening(string mark) => !IsClosing(mark) && IsNamed(mark, ReasoningWords);

    /// <summary>Whether a mark ends what another one began.</summary>
    public static bool IsClosing(string mark) => mark.Contains('/') || SplitWords(mark).Any(ClosingWords.Contains);

    /// <summary>The marks that may close what a mark opens, the most usual way of writing it first.</summary>
    public static IEnumerable<string> GetClosings(string open)
    {
        var name = FirstLetter(open);
        yield return open.Insert(name, "/");
        yield return open.Insert(1, "/");
        foreach (var (begin, end) in Opposites)
        {
            var swapped = Regex.Replace(
                open,
                $@"(?<!\p{{L}}){begin}(?!\p{{L}})",
                match => CopyCase(end, match.Value),
                RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
            );
            if (swapped != open)
            {
                yield return swapped;
            }
        }

        foreach (var prefix in (string[])["end_", "end_of_", "END_", "END_OF_"])
        {
            yield return open.Insert(name, prefix);
        }

        if (open.StartsWith("<|", StringComparison.Ordinal) && !open.EndsWith("|>", StringComparison.Ordinal))
        {
            yield return $"<{open[2..^1]}|>";
        }
    }

    static bool IsNamed(string mark, HashSet<string> names)
    {
        // In square brackets stands much else, and in capitals what a model was given as a token.
        if (mark[0] == '[' && mark.Any(char.IsLower))
        {
            return false;
        }

        var words = SplitWords(mark[(mark.IndexOf(':') + 1)..]).ToList();
        return words.Any(names.Contains) && words.All(word => names.Contains(word) || FillWords.Contains(word));
    }

    static IEnumerable<string> SplitWords(string mark) =>
        Word().Matches(mark).Select(match => match.Value.ToLowerInvariant());

    static int FirstLetter(string mark)
    {
        var index = mark.AsSpan().IndexOfAnyExcept("<[|｜◁");
        return Math.Clamp(index, 1, mark.Length - 1);
    }

    static string CopyCase(string word, string like) => char.IsUpper(like[^1]) ? word.ToUpperInvariant() : word;

    [GeneratedRegex(
        @"<[^<>\s""'{}()=]{1,40}>|\[[^\[\]\n""'{}()=]{1,40}\]|◁[^◁▷\s]{1,40}▷",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Mark();

    [GeneratedRegex(@"\p{L}+", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
