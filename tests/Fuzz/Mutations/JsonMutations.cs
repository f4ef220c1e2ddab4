using System.Text.Json;

namespace CoPe.Fuzz.Mutations;

/// <summary>Changes of JSON by its values and members, as long as it is still JSON.</summary>
static class JsonMutations
{
    static readonly byte[][] Values =
    [
        .. Bytes.OfAll(
            "null",
            "true",
            "false",
            "0",
            "-0",
            "-1",
            "1",
            "3",
            "1.5",
            "2147483647",
            "2147483648",
            "-2147483649",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "1e30",
            "1e308",
            "1e309",
            "-1e999",
            "1e-400",
            "NaN",
            "Infinity",
            "-Infinity",
            "\"NaN\"",
            "\"Infinity\"",
            "\"\"",
            "\" \"",
            "\"1\"",
            "\"true\"",
            "\"abc\"",
            "\"0\"",
            "\"a/b\"",
            "\"..\"",
            "\".\"",
            "\"a.part\"",
            "\"\\ud800\"",
            "\"\\udc00\\ud800\"",
            "\"\\ud83d\\ude00\"",
            "\"\\u0000\"",
            "\"\\u001b[2J\"",
            "\"\\n\\r\\u2028\\u202e\\u0085\"",
            "\"\\q\"",
            "\"unclosed",
            "[]",
            "{}",
            "[null]",
            "[[]]",
            "[1, \"a\", null, {}]",
            "{\"a\": null}",
            "{\"a\": 1, \"a\": 2}",
            "{\"\": 0}",
            "{\"\\ud800\": 1}",
            "01",
            "+1",
            ".5",
            "1.",
            "tru",
            "// comment\n1",
            "/* comment */ 1"
        ),
        [(byte)'"', 0xFF, 0xFE, (byte)'"'],
        [(byte)'"', 0xED, 0xA0, 0x80, (byte)'"'],
        [(byte)'"', 0, (byte)'"'],
        [(byte)'"', (byte)'\n', (byte)'"'],
    ];

    static readonly byte[][] Between = Bytes.OfAll(",", ",,", " ", "\n", ":", "}", "]", "{", "[", "\"", "//", "\uFEFF");

    static readonly JsonReaderOptions Reading = new()
    {
        MaxDepth = 1 << 20,
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>The input with one change; null where it is no JSON.</summary>
    public static byte[]? Apply(byte[] input, Choices choices)
    {
        if (FindParts(input) is not { } parts)
        {
            return null;
        }

        var value = choices.Pick(parts.Values);
        if (parts.Names.Count == 0 || choices.OneIn(2))
        {
            return ChangeValue(input, value, parts.Values, choices);
        }

        return ChangeMember(input, choices.Pick(parts.Names), parts, choices);
    }

    static byte[] ChangeValue(byte[] input, Part value, List<Part> all, Choices choices)
    {
        switch (choices.Below(8))
        {
            case 0:
                var other = choices.Pick(all);
                return Bytes.Replace(input, value.Start, value.End, input.AsSpan(other.Start, other.Length));
            case 1:
                return Bytes.Replace(input, value.Start, value.End, Nest(input, value, choices));
            case 2:
                var text = Bytes.Join("\""u8, Bytes.Repeat("word "u8, choices.OneIn(16) ? 10_000 : 60), "\""u8);
                return Bytes.Replace(input, value.Start, value.End, text);
            case 3:
                return Bytes.Replace(input, value.Start, value.End, choices.Pick(Between));
            case 4:
                var copies = Bytes.Repeat(
                    [.. input.AsSpan(value.Start, value.Length), (byte)','],
                    1 + choices.Below(4)
                );
                return Bytes.Replace(input, value.Start, value.Start, copies);
            default:
                return Bytes.Replace(input, value.Start, value.End, choices.Pick(Values));
        }
    }

    /// <summary>A value within many arrays or objects.</summary>
    static byte[] Nest(byte[] input, Part value, Choices choices)
    {
        var depth = choices.Below(64) switch
        {
            0 => 30_000,
            < 4 => 2000,
            < 16 => 70,
            _ => 1 + choices.Below(4),
        };
        var inner = input.AsSpan(value.Start, value.Length);
        return choices.OneIn(2)
            ? Bytes.Join(Bytes.Repeat("["u8, depth), inner, Bytes.Repeat("]"u8, depth))
            : Bytes.Join(Bytes.Repeat("{\"a\":"u8, depth), inner, Bytes.Repeat("}"u8, depth));
    }

    static byte[] ChangeMember(byte[] input, Part name, Parts parts, Choices choices)
    {
        var value = parts.Values[name.Value];
        switch (choices.Below(5))
        {
            case 0: // twice, with the same value or another
                var twin = choices.OneIn(2) ? input.AsSpan(value.Start, value.Length) : choices.Pick(Values);
                return Bytes.Replace(
                    input,
                    name.Start,
                    name.Start,
                    Bytes.Join(Bytes.Join(input.AsSpan(name.Start, name.Length), ":"u8, twin), ","u8)
                );
            case 1: // gone
                var end = value.End < input.Length && input[value.End] == ',' ? value.End + 1 : value.End;
                return Bytes.Replace(input, name.Start, end, choices.OneIn(8) ? [] : "\"zz\":0,"u8);
            case 2: // under another name
                var other = choices.Pick(parts.Names);
                return Bytes.Replace(input, name.Start, name.End, input.AsSpan(other.Start, other.Length));
            case 3: // an unknown one before it
                return Bytes.Replace(
                    input,
                    name.Start,
                    name.Start,
                    Bytes.Join("\"unknown\":"u8, choices.Pick(Values), ","u8)
                );
            default:
                return Bytes.Replace(input, value.Start, value.End, choices.Pick(Values));
        }
    }

    /// <summary>Where the values and the names of members stand; null where the input is no JSON.</summary>
    static Parts? FindParts(byte[] input)
    {
        var parts = new Parts([], []);
        var open = new Stack<int>();
        var reader = new Utf8JsonReader(input, Reading);
        try
        {
            while (reader.Read())
            {
                var (start, end) = ((int)reader.TokenStartIndex, (int)reader.BytesConsumed);
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        var nameEnd = start + reader.ValueSpan.Length + 2;
                        parts.Names.Add(new(start, nameEnd) { Value = parts.Values.Count });
                        break;
                    case JsonTokenType.StartArray or JsonTokenType.StartObject:
                        open.Push(parts.Values.Count);
                        parts.Values.Add(new(start, end));
                        break;
                    case JsonTokenType.EndArray or JsonTokenType.EndObject:
                        var index = open.Pop();
                        parts.Values[index] = parts.Values[index] with { End = end };
                        break;
                    default:
                        parts.Values.Add(new(start, end));
                        break;
                }
            }
        }
        catch (JsonException)
        {
            return null;
        }

        return parts.Values.Count > 0 ? parts : null;
    }

    /// <summary>From the first byte to behind the last one.</summary>
    readonly record struct Part(int Start, int End)
    {
        /// <summary>Of a member's name: the index of its value.</summary>
        public int Value { get; init; }

        public int Length => End - Start;
    }

    sealed record Parts(List<Part> Values, List<Part> Names);
}
