namespace CoPe.Fuzz.Mutations;

/// <summary>Changes of a table by cells and rows.</summary>
static class TableMutations
{
    static readonly byte[][] Cells = Bytes.OfAll(
        "",
        "\"",
        "\"\"",
        "\"a\nb\"",
        "\"a\"\"b\"",
        "\"a\"b",
        "\"unclosed",
        "'a'",
        "NaN",
        "null",
        "=1+1",
        "1e309",
        "2021-13-45",
        "31.02.2020",
        "1999",
        "1999.0",
        "99999999999999999999",
        "a\tb",
        "a;b",
        ",,,,",
        "\r",
        "\r\n",
        "\0",
        "\u2028",
        "sep=;"
    );

    /// <summary>The input with one change.</summary>
    public static byte[] Apply(byte[] input, Choices choices)
    {
        if (choices.OneIn(4))
        {
            return LineMutations.Apply(input, choices);
        }

        var place = choices.Below(input.Length);
        var start = input.AsSpan(0, place).LastIndexOfAny(",;\t\n"u8) + 1;
        var length = input.AsSpan(start).IndexOfAny(",;\t\n"u8);
        return Bytes.Replace(input, start, length < 0 ? input.Length : start + length, choices.Pick(Cells));
    }
}
