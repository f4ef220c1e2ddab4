using System.Text;
using System.Text.Json;

namespace CoPe.Experiments.Runs;

/// <summary>
/// An object of JSON that a run has recorded: a line of a file, or an entry of a list. Read as leniently as can be, for
/// whoever looks for a user: nested at any depth, and fields that stand twice count twice.
/// </summary>
sealed class RecordedLine
{
    static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    readonly List<(string Field, string Text)> _fields = [];
    readonly List<string> _texts = [];

    /// <summary>Every text in it, at any depth; numbers as they are written.</summary>
    public IReadOnlyList<string> AllTexts => _texts;

    /// <summary>Its own fields of a name that hold a text or a number.</summary>
    public IEnumerable<string> GetTexts(string field) =>
        _fields.Where(pair => pair.Field == field).Select(pair => pair.Text);

    /// <summary>A line; null where it is no object, such as one that a crash cut off.</summary>
    public static RecordedLine? Parse(string line) => Parse(Encoding.UTF8.GetBytes(line));

    /// <summary>An object in UTF-8; null where it is none.</summary>
    public static RecordedLine? Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, AnyDepth);
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject ? ReadObject(ref reader) : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return null; // No JSON, or half of a surrogate pair.
        }
    }

    /// <summary>
    /// The first of an object's own fields of a name that holds a text or a number; null where none does. Nothing else
    /// is kept in memory.
    /// </summary>
    public static string? ReadField(ReadOnlySpan<byte> json, string field)
    {
        var reader = new Utf8JsonReader(json, AnyDepth);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isField = reader.ValueTextEquals(field);
            reader.Read();
            if (isField && ReadText(ref reader) is { } text)
            {
                return text;
            }

            reader.Skip();
        }

        return null;
    }

    static RecordedLine ReadObject(ref Utf8JsonReader reader)
    {
        var line = new RecordedLine();
        var field = "";
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1)
            {
                field = reader.GetString()!;
            }
            else if (ReadText(ref reader) is { } text)
            {
                line._texts.Add(text);
                if (reader.CurrentDepth == 1)
                {
                    line._fields.Add((field, text));
                }
            }
        }

        return line;
    }

    static string? ReadText(ref Utf8JsonReader reader) =>
        reader.TokenType switch
        {
            JsonTokenType.String => reader.GetString(),
            JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
            _ => null,
        };
}
