using System.Globalization;
using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>Values as Python prints them.</summary>
static class PythonText
{
    /// <summary>White space as Python's <c>str.strip</c> sees it: Unicode's, and U+001C to U+001F.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';

    public static string StripStart(string text, string? characters = null)
    {
        var start = 0;
        while (start < text.Length && IsStripped(text[start], characters))
        {
            start++;
        }

        return text[start..];
    }

    public static string StripEnd(string text, string? characters = null)
    {
        var end = text.Length;
        while (end > 0 && IsStripped(text[end - 1], characters))
        {
            end--;
        }

        return text[..end];
    }

    public static string Strip(string text, string? characters = null) =>
        StripEnd(StripStart(text, characters), characters);

    /// <summary>What <c>{{ value }}</c> prints.</summary>
    public static string Str(RenderState state, object? value) =>
        value switch
        {
            Undefined => "",
            string text => text,
            _ => Repr(state, value),
        };

    /// <summary>A value as it stands inside a printed list.</summary>
    public static string Repr(RenderState state, object? value)
    {
        RenderState.EnsureDepth();
        state.SpendOn(value);
        return value switch
        {
            null => "None",
            Undefined => "Undefined",
            bool flag => flag ? "True" : "False",
            long number => number.ToString(CultureInfo.InvariantCulture),
            double number => FormatFloat(number),
            string text => Quote(text),
            List<object?> list => $"[{JoinReprs(state, list)}]",
            object?[] { Length: 1 } tuple => $"({Repr(state, tuple[0])},)",
            object?[] tuple => $"({JoinReprs(state, tuple)})",
            JinjaDict dict => $"{{{JoinReprs(state, dict)}}}",
            JinjaRange { Step: 1 } range => $"range({range.Start}, {range.Stop})",
            JinjaRange range => $"range({range.Start}, {range.Stop}, {range.Step})",
            DictView view => $"{view.Kind}([{JoinReprs(state, view.Items)}])",
            _ => $"<{TypeName(value)}>",
        };
    }

    static string JoinReprs(RenderState state, IReadOnlyList<object?> items)
    {
        state.Spend(items.Count);
        return RenderState.Join(", ", items.Select(item => Repr(state, item)));
    }

    static string JoinReprs(RenderState state, JinjaDict dict)
    {
        state.Spend(dict.Count);
        return RenderState.Join(
            ", ",
            dict.Entries.Select(entry => $"{Repr(state, entry.Key)}: {Repr(state, entry.Value)}")
        );
    }

    /// <summary>Which of two texts comes first, by code points.</summary>
    public static int CompareCodePoints(string left, string right)
    {
        var common = left.AsSpan().CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        // Surrogates stand for what comes after all other characters.
        static int Weigh(char c) => char.IsSurrogate(c) ? c + char.MaxValue : c;
        return Weigh(left[common]).CompareTo(Weigh(right[common]));
    }

    /// <summary>Lines as <c>str.splitlines</c> sees them, at every line end that Unicode knows.</summary>
    public static List<string> SplitLines(string text, bool keepsEnds = false)
    {
        var lines = new List<string>();
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (!IsLineEnd(text[i]))
            {
                continue;
            }

            var end = text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n' ? i + 2 : i + 1;
            lines.Add(text[start..(keepsEnds ? end : i)]);
            i = end - 1;
            start = end;
        }

        if (start < text.Length)
        {
            lines.Add(text[start..]);
        }

        return lines;
    }

    static bool IsLineEnd(char c) =>
        c is '\n' or '\r' or '\v' or '\f' or (>= '\u001C' and <= '\u001E') or '\u0085' or '\u2028' or '\u2029';

    public static string TypeName(object? value) =>
        value switch
        {
            null => "NoneType",
            bool => "bool",
            long => "int",
            double => "float",
            string => "str",
            List<object?> => "list",
            object?[] => "tuple",
            JinjaDict => "dict",
            Generator => "generator",
            JinjaNamespace => "Namespace",
            JinjaRange => "range",
            DictView view => view.Kind,
            LoopVariable => "LoopContext",
            Callable => "function",
            _ => value.GetType().Name,
        };

    public static string FormatFloat(double number)
    {
        if (double.IsNaN(number))
        {
            return "nan";
        }

        if (double.IsInfinity(number))
        {
            return number > 0 ? "inf" : "-inf";
        }

        var size = Math.Abs(number);
        if (size is >= 1e16 or (> 0 and < 1e-4))
        {
            var parts = number.ToString("E16", CultureInfo.InvariantCulture);
            var shortest = number.ToString("R", CultureInfo.InvariantCulture);
            if (!shortest.Contains('E', StringComparison.Ordinal))
            {
                return FormatMantissa(shortest) + "e" + FormatExponent(parts);
            }

            return shortest[..shortest.IndexOf('E', StringComparison.Ordinal)] + "e" + FormatExponent(shortest);
        }
        var text = number.ToString("0.0################", CultureInfo.InvariantCulture);
        return double.Parse(text, CultureInfo.InvariantCulture).Equals(number)
            ? text
            : number.ToString("R", CultureInfo.InvariantCulture);
    }

    static string FormatMantissa(string digits)
    {
        var negative = digits.StartsWith('-') ? "-" : "";
        var plain = digits
            .Replace("-", "", StringComparison.Ordinal)
            .Replace(".", "", StringComparison.Ordinal)
            .Trim('0');
        return negative + (plain.Length > 1 ? $"{plain[0]}.{plain[1..]}" : plain);
    }

    static string FormatExponent(string number)
    {
        var exponent = int.Parse(
            number.AsSpan(number.IndexOf('E', StringComparison.Ordinal) + 1),
            NumberStyles.AllowLeadingSign,
            CultureInfo.InvariantCulture
        );
        return (exponent < 0 ? "-" : "+") + Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture);
    }

    static string Quote(string text)
    {
        var prefersDouble =
            text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal);
        var quote = prefersDouble ? '"' : '\'';
        var quoted = new StringBuilder().Append(quote);
        foreach (var rune in text.EnumerateRunes())
        {
            quoted.Append(
                rune.Value switch
                {
                    '\\' => "\\\\",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    _ when rune.Value == quote => "\\" + quote,
                    _ when IsPrintable(rune) => rune.ToString(),
                    < 0x100 => $"\\x{rune.Value:x2}",
                    < 0x10000 => $"\\u{rune.Value:x4}",
                    _ => $"\\U{rune.Value:x8}",
                }
            );
        }

        return quoted.Append(quote).ToString();
    }

    static bool IsPrintable(Rune rune) =>
        rune.Value == ' '
        || Rune.GetUnicodeCategory(rune)
            is not (
                UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.Surrogate
                or UnicodeCategory.PrivateUse
                or UnicodeCategory.OtherNotAssigned
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.SpaceSeparator
            );

    static bool IsStripped(char c, string? characters) =>
        characters is null ? IsSpace(c) : characters.Contains(c, StringComparison.Ordinal);
}
