using System.Text;

namespace CoPe.Tokens.Pipeline;

/// <summary>Unicode normal forms of any text: lone surrogates and noncharacters, at which .NET throws, stay as they are.</summary>
internal static class UnicodeForm
{
    public static string Apply(string text, NormalizationForm form)
    {
        if (Ascii.IsValid(text)) return text;
        StringBuilder? built = null;
        var done = 0;
        for (var i = 0; i < text.Length;)
        {
            var codePoint = CodePoints.At(text, i, out var length);
            if (IsRefused(codePoint))
            {
                built ??= new StringBuilder(text.Length);
                built.Append(text[done..i].Normalize(form)).Append(text, i, length);
                done = i + length;
            }
            i += length;
        }
        return built is null ? text.Normalize(form) : built.Append(text[done..].Normalize(form)).ToString();
    }

    static bool IsRefused(int codePoint) =>
        codePoint is >= 0xD800 and <= 0xDFFF or >= 0xFDD0 and <= 0xFDEF || (codePoint & 0xFFFE) == 0xFFFE;
}
