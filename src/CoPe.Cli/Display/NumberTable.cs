using Spectre.Console;
using Spectre.Console.Rendering;

namespace CoPe.Cli.Display;

/// <summary>Tables of numbers, none of which is broken: a table that is too wide is continued below.</summary>
static class NumberTable
{
    /// <summary>Wider than any table, so that a measurement is the width that it wants.</summary>
    const int Unbounded = 10_000;

    /// <summary>
    /// Writes a table; where it is wider than the terminal, in blocks of as many columns as fit, each behind those that
    /// name the rows.
    /// </summary>
    /// <param name="console">Where to.</param>
    /// <param name="table">The table.</param>
    /// <param name="names">How many columns name the rows.</param>
    public static void WriteNumbers(this IAnsiConsole console, Table table, int names = 1)
    {
        foreach (var column in table.Columns)
        {
            column.NoWrap = true;
        }

        for (var next = names; next < table.Columns.Count;)
        {
            var last = next;
            while (last + 1 < table.Columns.Count && Fits(console, SelectColumns(table, names, next, last + 1)))
            {
                last++;
            }

            var block = SelectColumns(table, names, next, last);
            block.Title = next == names ? table.Title : null;
            next = last + 1;
            block.Caption = next == table.Columns.Count ? table.Caption : null;
            console.Write(block);
        }
    }

    static bool Fits(IAnsiConsole console, IRenderable table)
    {
        var options = RenderOptions.Create(console, console.Profile.Capabilities);
        return table.Measure(options, Unbounded).Max <= console.Profile.Width;
    }

    /// <summary>The columns that name the rows and those from one place to another.</summary>
    static Table SelectColumns(Table table, int names, int first, int last)
    {
        List<int> places = [.. Enumerable.Range(0, names), .. Enumerable.Range(first, last - first + 1)];
        var selected = new Table { Border = table.Border, ShowHeaders = table.ShowHeaders };
        selected.AddColumns([.. places.Select(place => table.Columns[place])]);
        foreach (var row in table.Rows)
        {
            var cells = row.ToList();
            selected.AddRow(places.Select(place => cells[place]));
        }

        return selected;
    }
}
