using System.Buffers;
using System.Text.RegularExpressions;

namespace CoPe.Evaluation.Language;

/// <summary>Cuts English text into sentences by the decisions of the Punkt algorithm, with lists of our own in place of a trained model.</summary>
/// <remarks>
/// Kiss and Strunk, "Unsupervised Multilingual Sentence Boundary Detection", 2006. A period, question or exclamation mark before a space or a
/// mark may end a sentence; <see cref="SentenceEnd"/> decides. Brackets and quotes that close after it belong to the sentence before.
/// A line break alone ends nothing. What a trained model would know stands in <see cref="Abbreviations"/>, and which words are also
/// written small in WordNet.
/// </remarks>
public static partial class SentenceSplitter
{
    static readonly SearchValues<char> AsciiSpaces = SearchValues.Create(" \t\n\r\v\f");

    /// <summary>The sentences of a text, without the space between them.</summary>
    /// <param name="text">Any text.</param>
    public static IReadOnlyList<string> Split(string text)
    {
        var spans = new List<(int Start, int End)>();
        var start = 0;
        foreach (var (mark, context) in Contexts(text))
        {
            if (!SentenceEnd.IsIn(context)) continue;
            spans.Add((start, mark.Index + 1));
            start = mark.Groups["next"].Success ? mark.Groups["next"].Index : mark.Index + 1;
        }
        var end = text.Length;
        while (end > 0 && UnicodeSpace.Is(text[end - 1])) end--;
        spans.Add((start, Math.Max(start, end)));
        return Realigned(text, spans);
    }

    /// <summary>Each mark that may end a sentence, with the word before it and what follows. Marks of one word are one, the last.</summary>
    static IEnumerable<(Match Mark, string Context)> Contexts(string text)
    {
        var (wordStart, wordEnd) = (0, 0);
        Match? before = null;
        foreach (var mark in PossibleEnd.EnumerateMatchesOf(text))
        {
            var space = text.AsSpan(wordEnd, mark.Index - wordEnd).LastIndexOfAny(AsciiSpaces);
            var start = space > 0 ? wordEnd + space + 1 : wordStart;
            if (before is not null && wordEnd <= start) yield return (before, Context(before));
            (before, wordStart, wordEnd) = (mark, start, mark.Index);
        }
        if (before is not null) yield return (before, Context(before));

        string Context(Match mark) => string.Concat(text.AsSpan(wordStart, wordEnd - wordStart), mark.ValueSpan, mark.Groups["after"].ValueSpan);
    }

    static List<string> Realigned(string text, List<(int Start, int End)> spans)
    {
        var sentences = new List<string>(spans.Count);
        var moved = 0;
        for (var i = 0; i < spans.Count; i++)
        {
            var (start, end) = (spans[i].Start + moved, spans[i].End);
            moved = 0;
            if (i + 1 < spans.Count && Closing.Match(text[spans[i + 1].Start..spans[i + 1].End]) is { Success: true } closing)
            {
                end = spans[i + 1].Start + closing.Value.TrimEnd().Length;
                moved = closing.Length;
            }
            if (end > start) sentences.Add(text[start..end]);
        }
        return sentences;
    }

    static IEnumerable<Match> EnumerateMatchesOf(this Regex pattern, string text)
    {
        for (var match = pattern.Match(text); match.Success; match = match.NextMatch()) yield return match;
    }

    [GeneratedRegex("[.?!](?=(?<after>[)\";}\\]*:@'({\\[!?]|[\\s\u001C-\u001F]+(?<next>[^\\s\u001C-\u001F]+)))")]
    private static partial Regex PossibleEnd { get; }

    [GeneratedRegex("^[\"')\\]}]+?(?:\\s+|(?=--)|(?=\n|$))")]
    private static partial Regex Closing { get; }
}
