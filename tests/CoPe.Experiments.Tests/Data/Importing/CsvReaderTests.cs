using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Data.Importing;

public class CsvReaderTests
{
    static string[][] Rows(string text) =>
        [.. new CsvReader(new StringReader(text), "x.csv").ReadRows().Select(row => row.Fields.ToArray())];

    [Fact]
    public void Quoted_fields_hold_separators_line_breaks_and_doubled_quotes() =>
        Assert.Equal(
            [
                ["a", "b"],
                ["1, 2", "he said \"no\"\r\nand left"],
                ["", "x"],
            ],
            Rows("a,b\r\n\"1, 2\",\"he said \"\"no\"\"\r\nand left\"\r\n,x")
        );

    [Theory]
    [InlineData("a;b\n1,5;2", "1,5")]
    [InlineData("a\tb\n1,5\t2", "1,5")]
    [InlineData("\"a,x\";b\n1,5;2", "1,5")]
    public void The_separator_is_told_by_the_first_line(string text, string first) =>
        Assert.Equal(first, Rows(text)[1][0]);

    [Theory]
    [InlineData("sep=;\r\na;b\r\n1,5;2\r\n")]
    [InlineData("SEP=;\na;b\n1,5;2\n")]
    [InlineData("\"sep=;\"\na;b\n1,5;2\n")]
    [InlineData("sep=|\na|b\n1,5|2\n")]
    [InlineData("sep=\t\na\tb\n1,5\t2\n")]
    [InlineData("sep=;\ra;b\r1,5;2\r")]
    public void A_first_line_that_names_the_separator_is_no_header(string text)
    {
        Assert.Equal(
            [
                ["a", "b"],
                ["1,5", "2"],
            ],
            Rows(text)
        );
        Assert.Equal([2, 3], new CsvReader(new StringReader(text), "x.csv").ReadRows().Select(row => row.Line));
    }

    [Fact]
    public void A_column_that_is_called_like_it_is_a_header() =>
        Assert.Equal(["sep=a", "b"], Rows("sep=a,b\n1,2\n")[0]);

    [Theory]
    [InlineData("")]
    [InlineData("\n\r\n")]
    public void Nothing_gives_no_rows(string text) => Assert.Empty(Rows(text));

    [Fact]
    public void Lines_are_counted_through_line_breaks_in_fields_and_an_open_quote_is_named()
    {
        Assert.Equal(
            [1, 2, 4],
            new CsvReader(new StringReader("a,b\n\"x\ny\",1\nz,2\n"), "x.csv").ReadRows().Select(row => row.Line)
        );
        Assert.Contains(
            "x.csv, line 2: found a quote that is never closed",
            Assert.Throws<DataFileException>(() => Rows("a,b\n\"x,1\n")).Message,
            StringComparison.Ordinal
        );
    }
}
