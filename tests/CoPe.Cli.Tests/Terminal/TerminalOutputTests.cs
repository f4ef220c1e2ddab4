using CoPe.Cli.Hosting;
using CoPe.Cli.Terminal;
using Spectre.Console;

namespace CoPe.Cli.Tests.Terminal;

/// <summary>Escape sequences in text from outside do not reach a terminal, whatever writes them.</summary>
public sealed class TerminalOutputTests
{
    /// <summary>Title, clipboard, clear screen, C1 control, bell, backspace, a lone carriage return, DEL.</summary>
    const string Hostile = "a\e]0;t\ab\e]52;c;eA==\ac\e[2Jd\u009b31me\bf\rg\u007fh";

    const string Harmless = "a]0;tb]52;c;eA==c[2Jd31mefgh";

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("two\nlines\tand a tab", "two\nlines\tand a tab")]
    [InlineData("two\r\nlines", "two\r\nlines")]
    [InlineData("over\rwritten", "overwritten")]
    [InlineData("end\r", "end")]
    [InlineData(Hostile, Harmless)]
    [InlineData("日本 é 👩‍👩‍👧", "日本 é 👩‍👩‍👧")]
    public void Control_characters_are_removed_and_nothing_else(string text, string expected) =>
        Assert.Equal(expected, TerminalText.RemoveControls(text));

    [Fact]
    public void Every_way_to_write_is_filtered()
    {
        using var output = new StringWriter { NewLine = "\n" };
        var host = CreateHost(output);

        host.Out.Write(Hostile);
        host.Out.WriteLine(Hostile);
        host.Out.Write(Hostile.ToCharArray());
        host.Out.Write(Hostile.AsSpan());
        host.Out.Write("{0}", Hostile);
        host.Out.Write('\e');
        host.Out.WriteLine();
        host.WriteMessage(Hostile);

        Assert.Equal($"{Harmless}{Harmless}\n{Harmless}{Harmless}{Harmless}\ncope: {Harmless}\n", output.ToString());
    }

    [Fact]
    public void Tables_keep_their_own_colors_and_lose_the_escapes_of_their_text()
    {
        using var output = new StringWriter();
        var console = CreateHost(output).CreateTableConsole();
        // Spectre.Console begins a new line at a carriage return.
        var hostile = Hostile.Replace("\r", "", StringComparison.Ordinal);
        var table = new Table();
        table.AddColumn(TerminalText.ToMarkup(hostile));
        table.AddRow($"[green]{TerminalText.ToMarkup(hostile)}[/]");
        table.AddRow($"[red]{Markup.Escape(hostile)}[/]");

        console.Write(table);
        console.WriteLine(hostile);

        AssertOnlyStyles(output.ToString(), Harmless);
    }

    [Fact]
    public void A_display_that_is_drawn_in_place_loses_the_escapes_of_its_text()
    {
        using var output = new StringWriter();
        var console = CreateHost(output).CreateTableConsole();

        var hostile = Hostile.Replace("\r", "", StringComparison.Ordinal);
        console.Live(new Text(hostile)).Start(live => live.UpdateTarget(new Text(hostile + "!")));

        var text = output.ToString();
        Assert.Contains(Harmless + "!", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\e]", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\e[2Jd", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\a', text);
    }

    [Fact]
    public void An_error_that_quotes_the_command_line_spells_its_control_characters_out()
    {
        using var command = new InProcessCommand();

        Assert.NotEqual(0, command.Run("chat", "no\e]0;title\asuch"));

        Assert.Contains(@"no\u001B]0;title\u0007such", command.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', command.Error);
    }

    [Fact]
    public void Without_color_a_table_on_a_terminal_has_no_escapes_at_all()
    {
        using var output = new StringWriter();
        var host = CreateHost(output) with { Colors = ColorSystemSupport.NoColors };

        host.CreateTableConsole().Write(new Markup("[green bold]text[/]"));

        Assert.Equal("text", output.ToString());
    }

    static void AssertOnlyStyles(string output, string harmless)
    {
        var pieces = output.Split("\e[");
        Assert.True(pieces.Length > 1, "the table has no colors");
        Assert.All(pieces.Skip(1), piece => Assert.Matches("^[0-9;]*m", piece));
        var plain = string.Concat(
            pieces.Select((piece, i) => i == 0 ? piece : piece[(piece.IndexOf('m', StringComparison.Ordinal) + 1)..])
        );
        Assert.DoesNotContain(plain, letter => char.IsControl(letter) && letter is not ('\n' or '\r'));
        Assert.Contains(harmless, plain, StringComparison.Ordinal);
    }

    static CommandHost CreateHost(TextWriter output) =>
        new()
        {
            Out = output,
            Error = output,
            IsOutputTerminal = true,
            Colors = ColorSystemSupport.Standard,
            TerminalWidth = 80,
            SearchFolders = [AppContext.BaseDirectory],
        };
}
