using System.Globalization;
using System.Text;

namespace CoPe.Prompts.Jinja;

/// <summary>Values as Python's <c>json.dumps(value, ensure_ascii=False)</c> writes them, which is what transformers' tojson does.</summary>
internal static class Json
{
    public static string Write(object? value, int? indent)
    {
        var text = new StringBuilder();
        Write(value, indent, 0, text);
        return text.ToString();
    }

    static void Write(object? value, int? indent, int depth, StringBuilder text)
    {
        switch (value)
        {
            case null: text.Append("null"); break;
            case bool flag: text.Append(flag ? "true" : "false"); break;
            case long number: text.Append(number.ToString(CultureInfo.InvariantCulture)); break;
            case double number: text.Append(PythonText.Float(number)); break;
            case string words: Quote(words, text); break;
            case JinjaDict dict:
                Group('{', '}', dict.Entries, indent, depth, text, entry =>
                {
                    Quote(PythonText.Of(entry.Key), text);
                    text.Append(": ");
                    Write(entry.Value, indent, depth + 1, text);
                });
                break;
            case List<object?> or object?[]:
                Group('[', ']', Operators.Items(value), indent, depth, text, item => Write(item, indent, depth + 1, text));
                break;
            default: throw new JinjaError($"Object of type {PythonText.TypeName(value)} is not JSON serializable");
        }
    }

    static void Group<T>(char open, char close, IEnumerable<T> items, int? indent, int depth, StringBuilder text, Action<T> write)
    {
        text.Append(open);
        var any = false;
        foreach (var item in items)
        {
            if (any) text.Append(indent is null ? ", " : ",");
            NewLine(indent, depth + 1, text);
            write(item);
            any = true;
        }
        if (any) NewLine(indent, depth, text);
        text.Append(close);
    }

    static void NewLine(int? indent, int depth, StringBuilder text)
    {
        if (indent is { } width) text.Append('\n').Append(' ', width * depth);
    }

    static void Quote(string words, StringBuilder text)
    {
        text.Append('"');
        foreach (var c in words)
            text.Append(c switch
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
            });
        text.Append('"');
    }
}
