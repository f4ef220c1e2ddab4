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
    public static string Str(object? value) =>
        value switch
        {
            Undefined => "",
            string text => text,
            _ => Repr(value),
        };

    /// <summary>A value as it stands inside a printed list.</summary>
    public static string Repr(object? value) =>
        value switch
        {
            null => "None",
            Undefined => "Undefined",
            bool flag => flag ? "True" : "False",
            long number => number.ToString(CultureInfo.InvariantCulture),
            double number => FormatFloat(number),
            string text => Quote(text),
            List<object?> list => $"[{string.Join(", ", list.Select(Repr))}]",
            object?[] tuple => tuple.Length == 1
                ? $"({Repr(tuple[0])},)"
                : $"({string.Join(", ", tuple.Select(Repr))})",
            JinjaDict dict =>
                $"{{{string.Join(", ", dict.Entries.Select(entry => $"{Repr(entry.Key)}: {Repr(entry.Value)}"))}}}",
            _ => $"<{TypeName(value)}>",
        };

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
        foreach (var c in text)
        {
            quoted.Append(
                c switch
                {
                    '\\' => "\\\\",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    _ when c == quote => "\\" + c,
                    < ' ' or '\u007F' => $"\\x{(int)c:x2}",
                    _ => c.ToString(),
                }
            );
        }

        return quoted.Append(quote).ToString();
    }

    static bool IsStripped(char c, string? characters) =>
        characters is null ? IsSpace(c) : characters.Contains(c, StringComparison.Ordinal);
}

/// <summary>
/// Values as Python's <c>json.dumps(value, ensure_ascii=False)</c> writes them, which is what transformers' tojson
/// does.
/// </summary>
sealed class JsonText
{
    readonly StringBuilder _text = new();
    readonly int? _indent;

    JsonText(int? indent) => _indent = indent;

    /// <summary>A value as JSON, on one line where no indentation is given.</summary>
    public static string Write(object? value, int? indent)
    {
        var json = new JsonText(indent);
        json.WriteValue(value, depth: 0);
        return json._text.ToString();
    }

    void WriteValue(object? value, int depth)
    {
        switch (value)
        {
            case null:
                _text.Append("null");
                break;
            case bool flag:
                _text.Append(flag ? "true" : "false");
                break;
            case long number:
                _text.Append(number.ToString(CultureInfo.InvariantCulture));
                break;
            case double number:
                _text.Append(PythonText.FormatFloat(number));
                break;
            case string words:
                WriteString(words);
                break;
            case JinjaDict dict:
                WriteItems('{', dict.Entries, entry => WriteEntry(entry, depth + 1), '}', depth);
                break;
            case List<object?> or object?[]:
                WriteItems('[', Operators.Iterate(value), item => WriteValue(item, depth + 1), ']', depth);
                break;
            default:
                throw new JinjaException($"Object of type {PythonText.TypeName(value)} is not JSON serializable");
        }
    }

    void WriteEntry(KeyValuePair<object, object?> entry, int depth)
    {
        WriteString(PythonText.Str(entry.Key));
        _text.Append(": ");
        WriteValue(entry.Value, depth);
    }

    void WriteItems<T>(char open, IEnumerable<T> items, Action<T> write, char close, int depth)
    {
        _text.Append(open);
        var isEmpty = true;
        foreach (var item in items)
        {
            if (!isEmpty)
            {
                _text.Append(_indent is null ? ", " : ",");
            }

            isEmpty = false;
            WriteLineBreak(depth + 1);
            write(item);
        }

        if (!isEmpty)
        {
            WriteLineBreak(depth);
        }

        _text.Append(close);
    }

    void WriteLineBreak(int depth)
    {
        if (_indent is { } width)
        {
            _text.Append('\n').Append(' ', width * depth);
        }
    }

    void WriteString(string words)
    {
        _text.Append('"');
        foreach (var c in words)
        {
            _text.Append(Escape(c));
        }

        _text.Append('"');
    }

    static string Escape(char c) =>
        c switch
        {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\b' => "\\b",
            '\f' => "\\f",
            < ' ' => $"\\u{(int)c:x4}",
            _ => c.ToString(),
        };
}
