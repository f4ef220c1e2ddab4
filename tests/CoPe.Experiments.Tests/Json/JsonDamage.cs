using System.Text;
using System.Text.Json.Nodes;

namespace CoPe.Experiments.Tests.Json;

/// <summary>A way in which a file of JSON can be damaged, or made to do harm.</summary>
public enum JsonDamage
{
    Empty,
    CutOff,
    InvalidUtf8,
    Utf16,
    DuplicateKey,
    LoneSurrogate,
    LoneSurrogateKey,
    Null,
    AnotherKind,
    HugeNumber,
    NotANumber,
    SecondValue,
    DeepNesting,
    DeepNestingOfRoot,
    NullByte,
    NullMember,
    NullElement,
}

/// <summary>Damages the text of a file: one value, or a value on each line.</summary>
static class JsonDamages
{
    const int TooDeep = 100_000;

    public static byte[] Apply(JsonDamage damage, string text) =>
        damage switch
        {
            JsonDamage.Empty => [],
            JsonDamage.CutOff => Utf8(text[..(text.Length * 2 / 3)] + "\n"),
            JsonDamage.InvalidUtf8 => Encoding.Latin1.GetBytes(InsertIntoFirstString(text, "ÿ")),
            JsonDamage.Utf16 => Encoding.Unicode.GetBytes("\uFEFF" + text),
            JsonDamage.DuplicateKey => Utf8(RepeatFirstMember(text)),
            JsonDamage.LoneSurrogate => Utf8(InsertIntoFirstText(text, "\\ud800x")),
            JsonDamage.LoneSurrogateKey => Utf8(InsertMember(text, """ "\udc00": 1 """)),
            JsonDamage.Null => Utf8("null\n"),
            JsonDamage.AnotherKind => Utf8("17\n"),
            JsonDamage.HugeNumber => Utf8(ReplaceFirstNumber(text, "1e400")),
            JsonDamage.NotANumber => Utf8(ReplaceFirstNumber(text, "NaN")),
            JsonDamage.SecondValue => Utf8(text.TrimEnd() + " {}\n"),
            JsonDamage.DeepNesting => Utf8(InsertMember(text, $" \"added\": {Nest(TooDeep)} ")),
            JsonDamage.DeepNestingOfRoot => Utf8(new string('[', TooDeep) + "\n"),
            JsonDamage.NullByte => Utf8(InsertIntoFirstString(text, "\0")),
            JsonDamage.NullMember => Utf8(ReplaceFirstValue(text, "null")),
            JsonDamage.NullElement => Utf8(InsertIntoFirstList(text)),
            _ => throw new ArgumentOutOfRangeException(nameof(damage)),
        };

    static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    static string Nest(int depth) => new string('[', depth) + new string(']', depth);

    static string InsertIntoFirstString(string text, string added) =>
        text.Insert(text.IndexOf('"', StringComparison.Ordinal) + 1, added);

    /// <summary>Into the first string that is a value, or a new one where there is none.</summary>
    static string InsertIntoFirstText(string text, string added)
    {
        const string Before = "\": \"";
        var place = text.IndexOf(Before, StringComparison.Ordinal);
        return place < 0 ? InsertMember(text, $" \"added\": \"{added}\" ") : text.Insert(place + Before.Length, added);
    }

    static string InsertMember(string text, string member)
    {
        var start = text.IndexOf('{', StringComparison.Ordinal) + 1;
        return text.Insert(start, member + ",");
    }

    static string RepeatFirstMember(string text)
    {
        var first = text.IndexOf('{', StringComparison.Ordinal);
        var end = text.IndexOf('\n', first);
        var value = JsonNode.Parse(text.StartsWith('[') ? text : text[first..(end < 0 ? text.Length : end)]);
        var owner = (value is JsonArray array ? array[0] : value)!.AsObject();
        var (name, member) = owner.First();
        return InsertMember(text, $"{JsonValue.Create(name)!.ToJsonString()}: {member?.ToJsonString() ?? "null"}");
    }

    /// <summary>Null for the first value of the first object.</summary>
    static string ReplaceFirstValue(string text, string value)
    {
        var first = text.IndexOf('{', StringComparison.Ordinal);
        var end = text.IndexOf('\n', first);
        var isArray = text.StartsWith('[');
        var root = JsonNode.Parse(isArray ? text : text[first..(end < 0 ? text.Length : end)])!;
        var owner = (root is JsonArray array ? array[0] : root)!.AsObject();
        owner[owner.First().Key] = JsonNode.Parse(value);
        return root.ToJsonString() + "\n";
    }

    static string ReplaceFirstNumber(string text, string number)
    {
        var digits = text.Select((letter, index) => (letter, index))
            .Where(one => char.IsAsciiDigit(one.letter) && one.index > 0 && text[one.index - 1] is ' ' or '[' or ':')
            .ToList();
        if (digits.Count == 0)
        {
            return InsertMember(text, $" \"added\": {number} ");
        }

        var start = digits[0].index;
        var end = start;
        while (char.IsAsciiDigit(text[end]) || text[end] is '.' or 'e' or '-')
        {
            end++;
        }

        return text[..start] + number + text[end..];
    }

    static string InsertIntoFirstList(string text)
    {
        var start = text.IndexOf('[', StringComparison.Ordinal);
        return start < 0 ? InsertMember(text, " \"added\": [null] ") : text.Insert(start + 1, "null,");
    }
}
