using System.Globalization;
using System.Text;

namespace CoPe.Prompts.Jinja;

/// <summary>Values as Python prints them.</summary>
internal static class PythonText
{
    /// <summary>White space as Python's <c>str.strip</c> sees it: Unicode's, and U+001C to U+001F.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F';

    public static string StripStart(string text, string? characters = null)
    {
        var start = 0;
        while (start < text.Length && Strips(text[start], characters)) start++;
        return text[start..];
    }

    public static string StripEnd(string text, string? characters = null)
    {
        var end = text.Length;
        while (end > 0 && Strips(text[end - 1], characters)) end--;
        return text[..end];
    }

    public static string Strip(string text, string? characters = null) => StripEnd(StripStart(text, characters), characters);

    /// <summary>What <c>{{ value }}</c> prints.</summary>
    public static string Of(object? value) => value switch
    {
        Undefined => "",
        string text => text,
        _ => Repr(value),
    };

    /// <summary>A value as it stands inside a printed list.</summary>
    public static string Repr(object? value) => value switch
    {
        null => "None",
        Undefined => "Undefined",
        bool flag => flag ? "True" : "False",
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number => Float(number),
        string text => Quote(text),
        List<object?> list => $"[{string.Join(", ", list.Select(Repr))}]",
        object?[] tuple => tuple.Length == 1 ? $"({Repr(tuple[0])},)" : $"({string.Join(", ", tuple.Select(Repr))})",
        JinjaDict dict => $"{{{string.Join(", ", dict.Entries.Select(entry => $"{Repr(entry.Key)}: {Repr(entry.Value)}"))}}}",
        _ => $"<{TypeName(value)}>",
    };

    public static string TypeName(object? value) => value switch
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
        Callable => "function",
        _ => value.GetType().Name,
    };

    public static string Float(double number)
    {
        if (double.IsNaN(number)) return "nan";
        if (double.IsInfinity(number)) return number > 0 ? "inf" : "-inf";
        var size = Math.Abs(number);
        if (size is >= 1e16 or (> 0 and < 1e-4))
        {
            var parts = number.ToString("E16", CultureInfo.InvariantCulture);
            var shortest = number.ToString("R", CultureInfo.InvariantCulture);
            if (!shortest.Contains('E', StringComparison.Ordinal)) return Mantissa(shortest) + "e" + Exponent(parts);
            return shortest[..shortest.IndexOf('E', StringComparison.Ordinal)] + "e" + Exponent(shortest);
        }
        var text = number.ToString("0.0################", CultureInfo.InvariantCulture);
        return double.Parse(text, CultureInfo.InvariantCulture).Equals(number) ? text : number.ToString("R", CultureInfo.InvariantCulture);
    }

    static string Mantissa(string digits)
    {
        var negative = digits.StartsWith('-') ? "-" : "";
        var plain = digits.Replace("-", "", StringComparison.Ordinal).Replace(".", "", StringComparison.Ordinal).Trim('0');
        return negative + (plain.Length > 1 ? $"{plain[0]}.{plain[1..]}" : plain);
    }

    static string Exponent(string number)
    {
        var exponent = int.Parse(number.AsSpan(number.IndexOf('E', StringComparison.Ordinal) + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return (exponent < 0 ? "-" : "+") + Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture);
    }

    static string Quote(string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var quoted = new StringBuilder().Append(quote);
        foreach (var c in text)
            quoted.Append(c switch
            {
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                _ when c == quote => "\\" + c,
                < ' ' or '\u007F' => $"\\x{(int)c:x2}",
                _ => c.ToString(),
            });
        return quoted.Append(quote).ToString();
    }

    static bool Strips(char c, string? characters) => characters is null ? IsSpace(c) : characters.Contains(c, StringComparison.Ordinal);
}
