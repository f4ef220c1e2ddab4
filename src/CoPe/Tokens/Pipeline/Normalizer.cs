using System.Text;

namespace CoPe.Tokens.Pipeline;

/// <summary>Changes to the text of a segment, in the order of the file.</summary>
static class Normalizer
{
    const string Known = "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Strip, Prepend, Replace";

    /// <summary>
    /// The change that a part of the file asks for; the second argument says whether the segment continues an earlier
    /// text.
    /// </summary>
    public static Func<string, bool, string> Read(JsonPart part)
    {
        if (part.IsAbsent)
        {
            return static (text, _) => text;
        }

        var type = part["type"].GetString();
        switch (type)
        {
            case "Sequence":
                var steps = part["normalizers"].EnumerateArray().Select(Read).ToArray();
                return (text, isContinuation) =>
                    steps.Aggregate(text, (current, step) => step(current, isContinuation));
            case "NFC":
                return CreateUnicodeStep(part, NormalizationForm.FormC);
            case "NFD":
                return CreateUnicodeStep(part, NormalizationForm.FormD);
            case "NFKC":
                return CreateUnicodeStep(part, NormalizationForm.FormKC);
            case "NFKD":
                return CreateUnicodeStep(part, NormalizationForm.FormKD);
            case "Lowercase":
                // Only this letter's lower case is two characters.
                return static (text, _) =>
                    text.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();
            case "Strip":
                return ReadStrip(part);
            case "Replace":
                var pattern = ReadLiteralPattern(part["pattern"]);
                var content = part["content"].GetString();
                return (text, _) => text.Replace(pattern, content, StringComparison.Ordinal);
            case "Prepend":
                var prefix = part["prepend"].GetString();
                return (text, isContinuation) => text.Length == 0 || isContinuation ? text : prefix + text;
            default:
                throw part.Unsupported("normalizer", type, Known);
        }
    }

    /// <summary>A pattern that is plain text.</summary>
    public static string ReadLiteralPattern(JsonPart pattern)
    {
        if (pattern["String"] is { IsAbsent: false } literal && literal.GetString() is { Length: > 0 } text)
        {
            return text;
        }

        throw pattern.Error("a non-empty \"String\" was expected; regular expressions are not supported here");
    }

    static Func<string, bool, string> CreateUnicodeStep(JsonPart part, NormalizationForm form) =>
        UnicodeNormalization.IsAvailable
            ? (text, _) => UnicodeNormalization.Normalize(text, form)
            : throw part.Error(
                "asks for a Unicode normal form, which this process cannot compute: it runs in globalization-invariant "
                    + "mode; unset DOTNET_SYSTEM_GLOBALIZATION_INVARIANT and install ICU (Alpine: icu-libs)"
            );

    static Func<string, bool, string> ReadStrip(JsonPart part)
    {
        var left = part["strip_left"].GetBoolean(true);
        var right = part["strip_right"].GetBoolean(true);
        return (text, _) =>
            (left, right) switch
            {
                (true, true) => text.Trim(),
                (true, false) => text.TrimStart(),
                (false, true) => text.TrimEnd(),
                _ => text,
            };
    }
}
