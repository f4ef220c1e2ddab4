using CoPe.Cli.Display;
using Spectre.Console;

namespace CoPe.Cli.Tests.Display;

public class NumberTableTests
{
    static readonly string[] Numbers = ["0.1634 ± 0.0091", "0.2500 ± 0.0020", "0.3333 ± 0.0010"];

    [Theory]
    [InlineData(80, 1)]
    [InlineData(50, 2)]
    [InlineData(40, 3)]
    public void A_table_that_is_too_wide_is_continued_below_and_no_number_is_broken(int width, int blocks)
    {
        var output = Render(width, names: 1);

        Assert.Equal(blocks, output.Split("method").Length - 1);
        Assert.All(Numbers, number => Assert.Contains(number, output, StringComparison.Ordinal));
        Assert.All(output.Split('\n'), line => Assert.InRange(line.TrimEnd('\r').Length, 0, width));
        Assert.Equal(1, output.Split("below").Length - 1);
    }

    [Fact]
    public void Every_block_repeats_the_columns_that_name_the_rows()
    {
        var output = Render(56, names: 2);
        Assert.Equal(2, output.Split("ROUGE-1").Length - 1);
        Assert.Contains("0.3333 ± 0.0010", output, StringComparison.Ordinal);
    }

    static string Render(int width, int names)
    {
        using var writer = new StringWriter();
        var console = AnsiConsole.Create(
            new()
            {
                Out = new AnsiConsoleOutput(writer),
                Ansi = AnsiSupport.No,
                ColorSystem = ColorSystemSupport.NoColors,
            }
        );
        console.Profile.Width = width;
        var table = new Table { Border = TableBorder.Rounded, Caption = new TableTitle("below") };
        foreach (var heading in (string[])["method", "ROUGE-1", "ROUGE-L", "METEOR"])
        {
            table.AddColumn(heading);
        }

        table.AddRow(["cope", .. Numbers]);
        console.WriteNumbers(table, names);
        return writer.ToString();
    }
}
