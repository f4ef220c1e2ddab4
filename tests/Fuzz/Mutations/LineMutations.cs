namespace CoPe.Fuzz.Mutations;

/// <summary>Changes by lines.</summary>
static class LineMutations
{
    /// <summary>A change of the JSON in one line, or of the lines.</summary>
    public static byte[]? ApplyToJson(byte[] input, Choices choices)
    {
        var (start, end) = PickLine(input, choices);
        if (choices.OneIn(4))
        {
            return Apply(input, choices);
        }

        return JsonMutations.Apply(input[start..end], choices) is { } changed
            ? Bytes.Replace(input, start, end, changed)
            : null;
    }

    /// <summary>A line twice, gone, in another place, or broken in two.</summary>
    public static byte[] Apply(byte[] input, Choices choices)
    {
        var (start, end) = PickLine(input, choices);
        var whole = Math.Min(end + 1, input.Length);
        var other = PickLine(input, choices);
        return choices.Below(5) switch
        {
            0 => Bytes.Replace(input, start, start, input.AsSpan(start, whole - start)),
            1 => Bytes.Replace(input, start, whole, []),
            2 => Bytes.Replace(input, other.Start, other.Start, input.AsSpan(start, whole - start)),
            3 => Bytes.Replace(input, start, end, input.AsSpan(other.Start, other.End - other.Start)),
            _ => Bytes.Replace(input, start + choices.Below(end - start + 1), end, "\n"u8),
        };
    }

    /// <summary>A line without its end.</summary>
    public static (int Start, int End) PickLine(byte[] input, Choices choices)
    {
        var place = choices.Below(input.Length);
        var start = input.AsSpan(0, place).LastIndexOf((byte)'\n') + 1;
        var length = input.AsSpan(start).IndexOf((byte)'\n');
        return (start, length < 0 ? input.Length : start + length);
    }
}
