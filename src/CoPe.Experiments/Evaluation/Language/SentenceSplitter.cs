using System.Buffers;
using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace CoPe.Experiments.Evaluation.Language;

/// <summary>
/// Splits English text into sentences by the decisions of the Punkt algorithm, with lists of our own in place of a
/// trained model.
/// </summary>
/// <remarks>
/// Kiss and Strunk, "Unsupervised Multilingual Sentence Boundary Detection", 2006. A period, question or exclamation
/// mark before a space or a mark may end a sentence; <see cref="SentenceBoundary"/> decides. Brackets and quotes that
/// close after it belong to the sentence before. A line break alone ends nothing. What a trained model would know is
/// in <see cref="Abbreviations"/>, and in WordNet: which words are also written in lower case.
/// </remarks>
static partial class SentenceSplitter
{
    static readonly SearchValues<char> AsciiSpaces = SearchValues.Create(" \t\n\r\v\f");

    /// <summary>The sentences of a text, without the space between them.</summary>
    /// <param name="text">Any text.</param>
    public static IReadOnlyList<string> Split(string text)
    {
        var spans = new List<(int Start, int End)>();
        var start = 0;
        foreach (var (mark, context) in FindPossibleEnds(text))
        {
            if (!SentenceBoundary.IsIn(context))
            {
                continue;
            }

            spans.Add((start, mark.Index + 1));
            var next = mark.Groups["next"];
            start = next.Success ? next.Index : mark.Index + 1;
        }

        var end = text.Length;
        while (end > 0 && UnicodeText.IsWhiteSpace(text[end - 1]))
        {
            end--;
        }

        spans.Add((start, Math.Max(start, end)));
        return MoveClosingMarks(text, spans);
    }

    /// <summary>
    /// Each mark that may end a sentence, with the word before it and what follows. Marks of one word are one, the
    /// last.
    /// </summary>
    static IEnumerable<(Match Mark, string Context)> FindPossibleEnds(string text)
    {
        var (wordStart, wordEnd) = (0, 0);
        Match? before = null;
        foreach (var mark in PossibleEnd.EnumerateMatchesOf(text))
        {
            var space = text.AsSpan(wordEnd, mark.Index - wordEnd).LastIndexOfAny(AsciiSpaces);
            var start = space > 0 ? wordEnd + space + 1 : wordStart;
            if (before is not null && wordEnd <= start)
            {
                yield return (before, GetContext(before));
            }

            (before, wordStart, wordEnd) = (mark, start, mark.Index);
        }

        if (before is not null)
        {
            yield return (before, GetContext(before));
        }

        string GetContext(Match mark) =>
            string.Concat(text.AsSpan(wordStart, wordEnd - wordStart), mark.ValueSpan, mark.Groups["after"].ValueSpan);
    }

    /// <summary>Brackets and quotes at the start of a span that close what came before go to the span before.</summary>
    static List<string> MoveClosingMarks(string text, List<(int Start, int End)> spans)
    {
        var sentences = new List<string>(spans.Count);
        var moved = 0;
        for (var i = 0; i < spans.Count; i++)
        {
            var (start, end) = (spans[i].Start + moved, spans[i].End);
            moved = 0;
            if (i + 1 < spans.Count)
            {
                var (nextStart, nextEnd) = spans[i + 1];
                var closing = Closing.Match(text[nextStart..nextEnd]);
                if (closing.Success)
                {
                    end = nextStart + closing.Value.TrimEnd().Length;
                    moved = closing.Length;
                }
            }

            if (end > start)
            {
                sentences.Add(text[start..end]);
            }
        }

        return sentences;
    }

    static IEnumerable<Match> EnumerateMatchesOf(this Regex pattern, string text)
    {
        for (var match = pattern.Match(text); match.Success; match = match.NextMatch())
        {
            yield return match;
        }
    }

    [GeneratedRegex("[.?!](?=(?<after>[)\";}\\]*:@'({\\[!?]|[\\s\u001C-\u001F]+(?<next>[^\\s\u001C-\u001F]+)))")]
    static partial Regex PossibleEnd { get; }

    [GeneratedRegex("^[\"')\\]}]+?(?:\\s+|(?=--)|(?=\n|$))")]
    static partial Regex Closing { get; }
}

/// <summary>Whether a sentence ends inside a few tokens: a word with its mark, and what follows.</summary>
/// <remarks>
/// A question or exclamation mark ends one, and so does the period of any word that is no abbreviation, whatever
/// follows. After an abbreviation or an ellipsis one ends where the next word has a capital and is known as an ordinary
/// word and as no name, or often opens sentences. After a number none ends before a lower-case letter; after an initial
/// none before a lower-case letter or a name.
/// </remarks>
static partial class SentenceBoundary
{
    const string DashesOrDots = "-{2,}|\\.{2,}|(?:\\.\\s){2,}\\.";
    const string WordStart = "(?![(\"`{\\[:;&#*@)}\\]\\-,\\s])";
    const string WordEnd = $"\\s|$|[)\";}}\\]*:@'({{\\[!?]|{DashesOrDots}";

    /// <summary>Whether a sentence ends before the last token of the context.</summary>
    public static bool IsIn(string context)
    {
        string? token = null;
        foreach (Match next in Token.Matches(context))
        {
            if (token is not null && Ends(token, next.Value))
            {
                return true;
            }

            token = next.Value;
        }

        return false;
    }

    static bool Ends(string token, string next)
    {
        if (token is "." or "?" or "!")
        {
            return true;
        }

        if (token[^1] != '.')
        {
            return false;
        }

        if (IsInitial(token))
        {
            return EndsAfterInitial(token, next);
        }

        var isAbbreviation = IsAbbreviation(token);
        if (isAbbreviation || token.EndsWith("..", StringComparison.Ordinal))
        {
            return OpensSentence(next);
        }

        return !IsNumber(token) || !CannotOpen(next);
    }

    static bool EndsAfterInitial(string token, string next)
    {
        if (Abbreviations.IsCommonInitial(char.ToLowerInvariant(token[0])) || CannotOpen(next))
        {
            return false;
        }

        return !(char.IsUpper(next[0]) && !CaseOf(next).HasFlag(WordCase.Lower));
    }

    static bool IsAbbreviation(string token)
    {
        var word = UnicodeText.ToLower(token[..^1]);
        if (word.EndsWith('.'))
        {
            return false;
        }

        var afterHyphen = word[(word.LastIndexOf('-') + 1)..];
        return Abbreviations.Contains(word) || Abbreviations.Contains(afterHyphen);
    }

    static bool OpensSentence(string next) =>
        char.IsUpper(next[0])
        && (Abbreviations.IsSentenceOpener(UnicodeText.ToLower(next)) || CaseOf(next) == WordCase.Lower);

    static bool CannotOpen(string next) => next is ";" or ":" or "," or "." or "!" or "?" || char.IsLower(next[0]);

    static WordCase CaseOf(string word)
    {
        var form = UnicodeText.ToLower(word.Length > 1 ? word.TrimEnd('.') : word);
        return Abbreviations.IsSentenceOpener(form) ? WordCase.Lower : WordNet.CaseOf(form);
    }

    static bool IsInitial(string token) => token.Length == 2 && char.IsLetter(token[0]);

    static bool IsNumber(string token) => Number.IsMatch(token);

    [GeneratedRegex("^-?[.,]?\\d[\\d,.-]*\\.?$")]
    static partial Regex Number { get; }

    /// <summary>
    /// Dashes and dots; or a word to its end, a space, a mark, or a comma before one of these; or one character.
    /// </summary>
    [GeneratedRegex($"{DashesOrDots}|{WordStart}\\S+?(?={WordEnd}|,(?={WordEnd}))|\\S")]
    static partial Regex Token { get; }
}

/// <summary>
/// What the sentence splitter knows of English newspapers: abbreviations, letters that are initials, words that open
/// sentences.
/// </summary>
/// <remarks>
/// Chosen by kind, not trained. The kinds are those that newspapers write with a period, because the splitter METEOR is
/// measured with was trained on newspapers: <c>e.g.</c>, <c>i.e.</c>, <c>etc.</c>, <c>et al.</c>, <c>No.</c>,
/// <c>Gov.</c> and <c>Rev.</c> are left out on purpose, for it does not know them (nltk issues 2154, 2376, 2500 and
/// 2543).
/// </remarks>
static class Abbreviations
{
    static readonly FrozenSet<string> All = Set(
        // before and after names: people and their offices
        "mr mrs ms dr prof messrs sen rep reps gen lt col maj adm st jr sr",
        // companies
        "inc corp co cos ltd bros cie s.a s.p.a n.v b.v a.g",
        // months and days
        "jan feb aug sep sept oct nov dec tues wed fri",
        // states, as newspapers shorten them
        "ala ariz calif colo conn fla ga ill kan ky mich minn nev okla ore pa tenn va vt wash wis",
        "d.c n.c n.d n.h n.j n.m n.y r.i s.c w.va l.a",
        // countries and bodies
        "u.s u.s.a u.k u.n u.s.s.r",
        // times, degrees, measures
        "a.m p.m a.d ph.d vs ft yr mg",
        // streets
        "ave"
    );

    static readonly FrozenSet<string> Openers = Set(
        "a about after all also although an and another any are as at because before both but by each even every few",
        "for from he her here his how however i if in is it its last many meanwhile moreover more most my no not now",
        "of on one only or other others our over she since so some still such that the their then there these they",
        "this those though to today under until we what when where while who why with yet you your"
    );

    /// <summary>Whether a word, in lower case and without its last period, is an abbreviation.</summary>
    public static bool Contains(string word) => All.Contains(word);

    /// <summary>Whether a word, in lower case, often opens a sentence.</summary>
    public static bool IsSentenceOpener(string word) => Openers.Contains(word);

    /// <summary>Whether a letter with a period is so commonly an initial that no sentence ends there.</summary>
    public static bool IsCommonInitial(char letter) => letter is >= 'b' and <= 'w' and not ('i' or 'o' or 'q' or 'u');

    static FrozenSet<string> Set(params string[] words) =>
        words.SelectMany(line => line.Split(' ')).ToFrozenSet(StringComparer.Ordinal);
}
