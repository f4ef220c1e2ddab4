namespace CoPe.Fuzz.Mutations;

/// <summary>Changes of bytes, for any format.</summary>
static class ByteMutations
{
    /// <summary>Bytes that readers of text stumble over.</summary>
    static readonly byte[][] Odd =
    [
        [0],
        [0xFF],
        [0x80],
        [0xC0, 0x80],
        [0xED, 0xA0, 0x80],
        [0xF5, 0x80, 0x80, 0x80],
        [0xEF, 0xBB, 0xBF],
        [0xFF, 0xFE],
        [0xFE, 0xFF],
        [0xE2, 0x80, 0xA8],
        [0xE2, 0x80, 0xAE],
        [0xC2, 0x85],
        [0x1B, (byte)'[', (byte)'2', (byte)'J'],
        [0x7F],
        [(byte)'\r'],
        [(byte)'\t'],
        [(byte)'\n', (byte)'\n'],
        .. Bytes.OfAll("\u0130", "\u00DF", "\uFF1C", "e\u0301", "\U0001F44D\u200D\U0001F525", "\u202E", "\uFEFF"),
    ];

    static readonly byte[][] Numbers = Bytes.OfAll(
        "0",
        "-0",
        "-1",
        "00",
        "1e5",
        "1.5",
        "127",
        "128",
        "255",
        "256",
        "65536",
        "2147483647",
        "2147483648",
        "-2147483649",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "99999999999999999999999999",
        "1e308",
        "1e309",
        "1e-400",
        "1e2147483648"
    );

    /// <summary>The input with one change.</summary>
    /// <param name="input">The input.</param>
    /// <param name="other">A seed to take a piece of.</param>
    /// <param name="words">Words of the format.</param>
    /// <param name="choices">What, where and how much.</param>
    public static byte[] Apply(byte[] input, byte[] other, IReadOnlyList<byte[]> words, Choices choices)
    {
        var at = choices.Below(input.Length + 1);
        var end = Math.Min(input.Length, at + choices.Length(input.Length));
        switch (choices.Below(14))
        {
            case 0 or 1:
                return FlipBit(input, choices);
            case 2:
                return Bytes.Replace(input, at, Math.Min(at + 1, input.Length), [(byte)choices.Below(256)]);
            case 3:
                return Bytes.Replace(input, at, choices.OneIn(2) ? at : end, choices.Pick(Odd));
            case 4:
                return Bytes.Replace(input, at, end, []);
            case 5:
                return Bytes.Replace(input, at, at, input.AsSpan(at, end - at));
            case 6 or 7:
                return words.Count == 0 ? FlipBit(input, choices) : Bytes.Replace(input, at, at, choices.Pick(words));
            case 8:
                return Bytes.Replace(input, at, end, words.Count == 0 ? [] : choices.Pick(words));
            case 9:
                return input[..at];
            case 10:
                return Bytes.Join(input.AsSpan(0, at), other.AsSpan(choices.Below(other.Length + 1)));
            case 11:
                return ReplaceNumber(input, choices);
            case 12:
                return Swap(input, at, end);
            default:
                return Bytes.Replace(input, at, at, Long(input, choices));
        }
    }

    static byte[] FlipBit(byte[] input, Choices choices)
    {
        var changed = (byte[])input.Clone();
        if (changed.Length > 0)
        {
            changed[choices.Below(changed.Length)] ^= (byte)(1 << choices.Below(8));
        }

        return changed;
    }

    /// <summary>A number somewhere behind a place, replaced by one at a limit.</summary>
    static byte[] ReplaceNumber(byte[] input, Choices choices)
    {
        var place = choices.Below(input.Length);
        var start = input.AsSpan(place).IndexOfAnyInRange((byte)'0', (byte)'9');
        if (start < 0)
        {
            return FlipBit(input, choices);
        }

        start += place;
        var length = input.AsSpan(start).IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        var end = length < 0 ? input.Length : start + length;
        return Bytes.Replace(input, start, end, choices.Pick(Numbers));
    }

    /// <summary>The two halves of a part, in the other order.</summary>
    static byte[] Swap(byte[] input, int start, int end)
    {
        var middle = (start + end) / 2;
        var swapped = Bytes.Join(input.AsSpan(middle, end - middle), input.AsSpan(start, middle - start));
        return Bytes.Replace(input, start, end, swapped);
    }

    /// <summary>One piece many times over: a word as long as a file, or a nest.</summary>
    static byte[] Long(byte[] input, Choices choices)
    {
        var count = choices.Below(40) switch
        {
            0 => 50_000,
            < 4 => 3000,
            _ => 100,
        };
        var piece = choices.Below(4) switch
        {
            0 => "["u8,
            1 => "("u8,
            2 => "a"u8,
            _ => input.AsSpan(0, Math.Min(input.Length, 1)),
        };
        return Bytes.Repeat(piece, count);
    }
}
