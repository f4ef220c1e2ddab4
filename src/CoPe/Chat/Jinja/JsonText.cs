using System.Globalization;
using System.Text;

namespace CoPe.Chat.Jinja;

/// <summary>How <see cref="JsonText"/> lays a value out; the names are those of Python's <c>json.dumps</c>.</summary>
sealed record JsonLayout
{
    public static readonly JsonLayout Default = new();

    /// <summary>Characters beyond ASCII are written as escapes.</summary>
    public bool EnsureAscii { get; init; }

    /// <summary>What a level is indented by; null writes one line.</summary>
    public string? Indent { get; init; }

    /// <summary>Between items; null takes a comma, and a blank on one line.</summary>
    public string? ItemSeparator { get; init; }

    /// <summary>Between key and value.</summary>
    public string KeySeparator { get; init; } = ": ";

    /// <summary>Keys in their order instead of the dictionary's.</summary>
    public bool SortKeys { get; init; }
}

/// <summary>
/// Values as Python's <c>json.dumps(value, ensure_ascii=False)</c> writes them, which is what transformers' tojson
/// does.
/// </summary>
sealed class JsonText
{
    readonly StringBuilder _text = new();
    readonly RenderState _state;
    readonly JsonLayout _layout;
    readonly string _itemSeparator;

    JsonText(RenderState state, JsonLayout layout)
    {
        _state = state;
        _layout = layout;
        _itemSeparator = layout.ItemSeparator ?? (layout.Indent is null ? ", " : ",");
    }

    /// <summary>A value as JSON.</summary>
    public static string Write(RenderState state, object? value, JsonLayout layout)
    {
        var json = new JsonText(state, layout);
        json.WriteValue(value, depth: 0);
        return json._text.ToString();
    }

    void WriteValue(object? value, int depth)
    {
        RenderState.EnsureDepth();
        _state.Spend(1);
        switch (value)
        {
            case string words:
                WriteString(words);
                break;
            case JinjaDict dict:
                WriteItems('{', SortEntries(dict), entry => WriteEntry(entry, depth + 1), '}', depth);
                break;
            case List<object?> or object?[]:
                WriteItems('[', Operators.Iterate(_state, value), item => WriteValue(item, depth + 1), ']', depth);
                break;
            default:
                Append(
                    FormatScalar(value)
                        ?? throw new JinjaException(
                            $"Object of type {PythonText.TypeName(value)} is not JSON serializable"
                        )
                );
                break;
        }
    }

    static string? FormatScalar(object? value) =>
        value switch
        {
            null => "null",
            bool flag => flag ? "true" : "false",
            long number => number.ToString(CultureInfo.InvariantCulture),
            double.NaN => "NaN",
            double.PositiveInfinity => "Infinity",
            double.NegativeInfinity => "-Infinity",
            double number => PythonText.FormatFloat(number),
            _ => null,
        };

    IEnumerable<KeyValuePair<object?, object?>> SortEntries(JinjaDict dict) =>
        _layout.SortKeys
            ? dict.Entries.OrderBy(
                entry => entry.Key,
                Comparer<object?>.Create((left, right) => Operators.CompareOrder(_state, left, right))
            )
            : dict.Entries;

    void WriteEntry(KeyValuePair<object?, object?> entry, int depth)
    {
        var key =
            entry.Key as string
            ?? FormatScalar(entry.Key)
            ?? throw new JinjaException(
                $"keys must be str, int, float, bool or None, not {PythonText.TypeName(entry.Key)}"
            );
        WriteString(key);
        Append(_layout.KeySeparator);
        WriteValue(entry.Value, depth);
    }

    void WriteItems<T>(char open, IEnumerable<T> items, Action<T> write, char close, int depth)
    {
        Append(open.ToString());
        var isEmpty = true;
        foreach (var item in items)
        {
            if (!isEmpty)
            {
                Append(_itemSeparator);
            }

            isEmpty = false;
            WriteLineBreak(depth + 1);
            write(item);
        }

        if (!isEmpty)
        {
            WriteLineBreak(depth);
        }

        Append(close.ToString());
    }

    void WriteLineBreak(int depth)
    {
        if (_layout.Indent is not { } indent)
        {
            return;
        }

        Append("\n");
        for (var i = 0; i < depth; i++)
        {
            Append(indent);
        }
    }

    void WriteString(string words)
    {
        _state.SpendOn(words);
        Append("\"");
        foreach (var c in words)
        {
            Append(Escape(c));
        }

        Append("\"");
    }

    string Escape(char c) =>
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
            > '\u007E' when _layout.EnsureAscii => $"\\u{(int)c:x4}",
            _ => c.ToString(),
        };

    void Append(string text) => RenderState.Append(_text, text);
}
