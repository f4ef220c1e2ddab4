using CoPe.Experiments.Data.Building;

namespace CoPe.Experiments.Tests.Data.Building;

/// <summary>Structures of Thrift's compact protocol, by hand: a field is its type and the distance of its id.</summary>
public class ParquetFooterTests
{
    [Theory]
    [InlineData(true, "00")]
    [InlineData(true, "11 00")] // a truth stands in the header
    [InlineData(true, "15 04 25 80 01 00")] // whole numbers, the second of two bytes
    [InlineData(true, "05 02 04 00")] // the field's id is written out
    [InlineData(true, "18 03 61 62 63 00")] // a text
    [InlineData(true, "19 25 02 04 00")] // a list of two numbers
    [InlineData(true, "19 2C 00 00 00")] // a list of two empty structures
    [InlineData(true, "19 F1 0F 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 00")] // 15 truths, a byte each
    [InlineData(true, "1B 00 00")] // an empty map
    [InlineData(true, "1B 01 58 02 01 61 00")] // a number to a text
    [InlineData(true, "17 00 00 00 00 00 00 F0 3F 00")] // a double
    [InlineData(false, "")]
    [InlineData(false, "00 00")] // more than the structure
    [InlineData(false, "15 04")] // does not end
    [InlineData(false, "15 80 80 80 80 80 80 80 80 80 80 80 00")] // a number without end
    [InlineData(false, "18 05 61 62 00")] // a text longer than what is there
    [InlineData(false, "18 FF FF FF FF FF FF FF FF FF 01 00")] // and longer than any
    [InlineData(false, "19 FC FF FF FF FF 07 00 00")] // two billion structures
    [InlineData(false, "1B FF FF FF FF 07 11 01 01 00")] // two billion pairs
    [InlineData(false, "1E 00")] // no such type
    [InlineData(false, "10")] // the end, but with the distance of a field
    [InlineData(false, "10 00")]
    public void Counts_and_lengths_lie_within_the_footer(bool isWhole, string bytes) =>
        Assert.Equal(isWhole, IsWhole(Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal))));

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    [InlineData(100_000, false)]
    public void Depth_has_a_limit(int depth, bool isWhole)
    {
        byte[] nested = [.. Enumerable.Repeat((byte)0x1C, depth), .. new byte[depth + 1]];
        Assert.Equal(isWhole, IsWhole(nested));
    }

    [Theory]
    [InlineData(true, "16 04 25 04 00")] // version and rows are whole numbers, of whatever width
    [InlineData(true, "29 2C 48 01 61 00 00 00")] // the schema: two elements, of which one has a name
    [InlineData(true, "0A 28 15 04 00")] // a field that no version has
    [InlineData(false, "19 25 02 04 00")] // the version is a list
    [InlineData(false, "29 28 01 61 01 62 00")] // the schema is a list of texts
    [InlineData(false, "29 1C 49 18 01 61 00 00")] // the name of an element is a list
    [InlineData(false, "28 01 61 00")] // the schema is a text
    public void A_field_is_what_its_number_says(bool isWhole, string bytes) =>
        Assert.Equal(
            isWhole,
            ParquetFooter.IsWhole(Convert.FromHexString(bytes.Replace(" ", "", StringComparison.Ordinal)))
        );

    static bool IsWhole(ReadOnlySpan<byte> bytes)
    {
        var walk = new ThriftWalk(bytes);
        return walk.TrySkip("") && walk.Position == bytes.Length;
    }
}
