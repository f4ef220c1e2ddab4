namespace CoPe.Fuzz.Mutations;

/// <summary>Changes of YAML by lines, keys and values.</summary>
static class YamlMutations
{
    static readonly byte[][] Values = Bytes.OfAll(
        "",
        "~",
        "null",
        "true",
        "True",
        "yes",
        "0",
        "-1",
        "0x1F",
        "0o17",
        "1_000",
        ".inf",
        "-.inf",
        ".nan",
        "1e309",
        "2147483648",
        "9223372036854775808",
        "[]",
        "{}",
        "[1, 2",
        "{a: 1, a: 2}",
        "\"unclosed",
        "'unclosed",
        "\"\\ud800\"",
        "\"\\x1b[2J\"",
        "\"\\0\"",
        "*unknown",
        "&anchor 1",
        "&a [*a]",
        "!!binary AAAA",
        "!!int abc",
        "!unknown 1",
        "|\n  text",
        ">-\n  text",
        "? a\n: b",
        "- 1\n- 2",
        "%TAG ! x",
        "2001-01-01",
        "a: b: c",
        "{text}",
        "{{",
        "{unknown}",
        "../..",
        "#"
    );

    static readonly byte[][] Lines = Bytes.OfAll(
        "---\n",
        "...\n",
        "--- {}\n",
        "---\nb: 2\n",
        "%YAML 1.2\n",
        "%YAML 9.9\n---\n",
        "\tkey: 1\n",
        "  stray: 1\n",
        "<<: {a: 1}\n",
        "? [1, 2]\n: 3\n",
        "- 1\n",
        "key\n",
        ": \n",
        "\u0085",
        "\u2028",
        "# comment\n",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
    );

    /// <summary>The input with one change.</summary>
    public static byte[] Apply(byte[] input, Choices choices)
    {
        var (start, end) = LineMutations.PickLine(input, choices);
        switch (choices.Below(8))
        {
            case 0 or 1 or 2:
                var colon = input.AsSpan(start, end - start).IndexOf(": "u8);
                var valueStart = colon < 0 ? end : start + colon + 2;
                return Bytes.Replace(input, valueStart, end, choices.Pick(Values));
            case 3:
                return Bytes.Replace(input, start, start, choices.Pick(Lines));
            case 4:
                return Bytes.Replace(input, start, start, Bytes.Repeat(" "u8, 1 + choices.Below(6)));
            case 5:
                return Bytes.Replace(input, end, end, Nest(choices));
            case 6:
                var name = input.AsSpan(start, end - start).IndexOf((byte)':');
                return name < 0 ? [] : Bytes.Replace(input, start, start + name, "unknown"u8);
            default:
                return LineMutations.Apply(input, choices);
        }
    }

    static byte[] Nest(Choices choices)
    {
        var depth = choices.OneIn(32) ? 20_000 : 1 + choices.Below(100);
        return choices.Below(3) switch
        {
            0 => Bytes.Repeat("["u8, depth),
            1 => Bytes.Repeat("{a: "u8, depth),
            _ => Bytes.Join("\n"u8, Bytes.Repeat("- "u8, depth)),
        };
    }
}
