using System.Text;
using System.Text.RegularExpressions;

namespace CoPe.Experiments.Data.Samples;

/// <summary>Spacing, articles, capitals and final stops of a text that the grammar generated.</summary>
static partial class SampleFormatting
{
    /// <summary>
    /// One line such as a title, in the case <c>sentence</c>, <c>lower</c> or <c>title</c>, ending with the stop unless
    /// that is <c>none</c> or a mark stands there.
    /// </summary>
    public static string FormatLine(string text, string letterCase, string stop)
    {
        var spaced = NormalizeSpaces(text);
        var cased = letterCase switch
        {
            "lower" => spaced.ToLowerInvariant(),
            "title" => LongWord().Replace(CapitalizeSentences(spaced), word => Capitalize(word.Value)),
            _ => Capitalize(spaced),
        };
        return stop == "none" || !char.IsLetterOrDigit(cased[^1]) ? cased : cased + stop;
    }

    /// <summary>Several sentences, in the case <c>sentence</c> or <c>lower</c>.</summary>
    public static string FormatText(string text, string letterCase = "sentence") =>
        letterCase == "lower" ? NormalizeSpaces(text).ToLowerInvariant() : CapitalizeSentences(NormalizeSpaces(text));

    /// <summary>Single spaces, dashes between spaces, and "an" before vowels.</summary>
    static string NormalizeSpaces(string text)
    {
        var spaced = Blanks().Replace(text.Trim(), " ");
        var dashed = Dash().Replace(spaced, " - ");
        return Article().Replace(dashed, match => match.Value + "n");
    }

    static string CapitalizeSentences(string text) =>
        SentenceStart().Replace(text, start => start.Value.ToUpperInvariant());

    static string Capitalize(string text) =>
        new StringBuilder(text) { [0] = char.ToUpperInvariant(text[0]) }.ToString();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();

    [GeneratedRegex(@"(?<=\w)- ")]
    private static partial Regex Dash();

    [GeneratedRegex(@"\b[aA](?= (?!uni|use|one|eu)[aeiou])")]
    private static partial Regex Article();

    [GeneratedRegex(@"(?:^|(?<=[.!?] ))\p{Ll}")]
    private static partial Regex SentenceStart();

    [GeneratedRegex(@"\b\p{Ll}\p{L}{3,}")]
    private static partial Regex LongWord();
}
