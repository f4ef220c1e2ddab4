using System.Text;
using System.Text.RegularExpressions;

namespace CoPe.Experiments.Data.Samples;

/// <summary>Spacing, articles, capitals and final stops of a text made by the grammar.</summary>
static partial class SampleFormatting
{
    /// <summary>
    /// One line such as a title, in the case <c>sentence</c>, <c>lower</c> or <c>title</c>, ending with the stop unless
    /// that is <c>none</c> or a mark stands there.
    /// </summary>
    public static string FormatLine(string text, string letterCase, string stop)
    {
        var spaced = Spaced(text);
        var cased = letterCase switch
        {
            "lower" => spaced.ToLowerInvariant(),
            "title" => LongWord().Replace(Sentences(spaced), word => Capital(word.Value)),
            _ => Capital(spaced),
        };
        return stop == "none" || !char.IsLetterOrDigit(cased[^1]) ? cased : cased + stop;
    }

    /// <summary>Several sentences, in the case <c>sentence</c> or <c>lower</c>.</summary>
    public static string FormatText(string text, string letterCase = "sentence") =>
        letterCase == "lower" ? Spaced(text).ToLowerInvariant() : Sentences(Spaced(text));

    static string Spaced(string text) =>
        Article().Replace(Dash().Replace(Blanks().Replace(text.Trim(), " "), " - "), match => match.Value + "n");

    static string Sentences(string text) => SentenceStart().Replace(text, start => start.Value.ToUpperInvariant());

    static string Capital(string text) => new StringBuilder(text) { [0] = char.ToUpperInvariant(text[0]) }.ToString();

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
