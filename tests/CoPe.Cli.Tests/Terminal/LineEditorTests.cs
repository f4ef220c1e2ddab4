using CoPe.Cli.Terminal;
using Spectre.Console;

namespace CoPe.Cli.Tests.Terminal;

/// <summary>Keys as a terminal sends them, and what then stands on a screen.</summary>
public sealed class LineEditorTests
{
    const ConsoleKey None = default;

    [Theory]
    [InlineData("abc<left><left>X<enter>", "aXbc")]
    [InlineData("abc<home>X<end>Y<enter>", "XabcY")]
    [InlineData("abc<^A>X<^E>Y<enter>", "XabcY")]
    [InlineData("abc<left><right><right>d<enter>", "abcd")]
    [InlineData("abc<back><left><del>d<enter>", "ad")]
    [InlineData("one two three<^W>3<enter>", "one two 3")]
    [InlineData("one two<^left><^K>2<enter>", "one 2")]
    [InlineData("one two<alt-b><^U>a <enter>", "a two")]
    [InlineData("one two<home><alt-f>!<enter>", "one! two")]
    [InlineData("one two<home><esc>f!<enter>", "one! two")]
    [InlineData("ae\u0301<back>b<enter>", "ab")]
    [InlineData("👩‍👩‍👧<left>x<enter>", "x👩‍👩‍👧")]
    [InlineData("a<^D>b<left><^D><enter>", "a")]
    [InlineData("/wh<tab><enter>", "/why ")]
    [InlineData("/s<tab>x<enter>", "/sx")]
    [InlineData("none<tab><enter>", "none")]
    public void Keys_edit_the_line(string keys, string expected) => Assert.Equal([expected], ReadLines(keys));

    [Fact]
    public void Up_and_down_walk_through_the_lines_before_and_back_to_the_draft() =>
        Assert.Equal(
            ["first", "second", "second", "first", "draft!"],
            ReadLines(
                "first<enter>second<enter>second<enter><up><up><enter>"
                    + "draft<up><up><up><up><down><down><down><down>!<enter>"
            )
        );

    [Fact]
    public void Control_D_ends_the_input_on_an_empty_line_alone() =>
        Assert.Equal(["a", null], ReadLines("a<^D><enter><^D>"));

    [Fact]
    public void A_pasted_text_keeps_its_line_breaks_and_loses_its_escapes() =>
        Assert.Equal(["> one\ntwo]0;x!"], ReadLines("> <esc>[200~one<enter>two<esc>]0;x<esc>[201~!<enter>"));

    [Fact]
    public void A_long_line_wraps_at_the_columns_of_the_terminal_and_the_cursor_is_where_one_types()
    {
        var screen = new Screen(10);

        ReadLines("abcdefghijklmnopqr<left><left><left>X", screen);

        Assert.Equal(["> abcdefgh", "ijklmnoXpq", "r"], screen.Rows);
        Assert.Equal((1, 8), screen.Cursor);
    }

    [Fact]
    public void A_line_that_fills_its_row_puts_the_cursor_on_the_next()
    {
        var screen = new Screen(10);

        ReadLines("abcdefgh", screen);

        Assert.Equal(["> abcdefgh", ""], screen.Rows);
        Assert.Equal((1, 0), screen.Cursor);
    }

    [Fact]
    public void A_wide_letter_takes_two_columns_and_is_not_torn()
    {
        var screen = new Screen(10);

        ReadLines("abcdefg日x<left>", screen);

        Assert.Equal(["> abcdefg", "日x"], screen.Rows);
        Assert.Equal((1, 2), screen.Cursor);
    }

    [Fact]
    public void A_shorter_line_from_the_history_leaves_nothing_of_the_longer_one()
    {
        var screen = new Screen(10);

        ReadLines("ab<enter>a line that wraps twice<up>", screen);

        Assert.Equal(["> ab", "> ab"], screen.Rows);
    }

    static List<string?> ReadLines(string keys, Screen? screen = null)
    {
        screen ??= new Screen(80);
        string[] names = ["/why", "/seed", "/save"];
        var editor = new LineEditor(
            screen,
            new ScriptedKeys(keys),
            () => screen.Width,
            line => [.. names.Where(name => name.StartsWith(line, StringComparison.Ordinal))]
        );
        var lines = new List<string?>();
        try
        {
            while (true)
            {
                lines.Add(editor.ReadLine());
            }
        }
        catch (EndOfStreamException)
        {
            return lines;
        }
    }

    /// <summary>Letters, and names of keys in angle brackets.</summary>
    sealed class ScriptedKeys(string script) : IKeyReader
    {
        static readonly Dictionary<string, ConsoleKeyInfo> Named = new()
        {
            ["left"] = Key(ConsoleKey.LeftArrow),
            ["right"] = Key(ConsoleKey.RightArrow),
            ["up"] = Key(ConsoleKey.UpArrow),
            ["down"] = Key(ConsoleKey.DownArrow),
            ["home"] = Key(ConsoleKey.Home),
            ["end"] = Key(ConsoleKey.End),
            ["enter"] = Key(ConsoleKey.Enter, '\r'),
            ["back"] = Key(ConsoleKey.Backspace, '\b'),
            ["del"] = Key(ConsoleKey.Delete),
            ["tab"] = Key(ConsoleKey.Tab, '\t'),
            ["esc"] = Key(ConsoleKey.Escape, '\e'),
            ["^left"] = new('\0', ConsoleKey.LeftArrow, shift: false, alt: false, control: true),
            ["alt-b"] = new('b', ConsoleKey.B, shift: false, alt: true, control: false),
            ["alt-f"] = new('f', ConsoleKey.F, shift: false, alt: true, control: false),
        };

        int _next;

        public ConsoleKeyInfo ReadKey()
        {
            if (_next == script.Length)
            {
                throw new EndOfStreamException();
            }

            if (script[_next] != '<')
            {
                return new(script[_next], LetterKey(script[_next++]), shift: false, alt: false, control: false);
            }

            var end = script.IndexOf('>', _next);
            var name = script[(_next + 1)..end];
            _next = end + 1;
            return name is ['^', var letter]
                ? new((char)(letter - '@'), LetterKey(letter), shift: false, alt: false, control: true)
                : Named[name];
        }

        static ConsoleKey LetterKey(char letter) =>
            char.IsAsciiLetter(letter) ? ConsoleKey.A + (char.ToUpperInvariant(letter) - 'A') : None;

        static ConsoleKeyInfo Key(ConsoleKey key, char letter = '\0') =>
            new(letter, key, shift: false, alt: false, control: false);
    }

    /// <summary>A terminal that knows what the editor sends: text, line ends, cursor moves, erasing below.</summary>
    sealed class Screen(int width) : StringWriter
    {
        readonly List<List<string>> _rows =
        [
            [],
        ];
        int _row;
        int _column;

        public int Width => width;

        public (int Row, int Column) Cursor => (_row, _column);

        public IReadOnlyList<string> Rows => [.. _rows.Select(row => string.Concat(row))];

        public override void Write(string? value)
        {
            var text = value ?? "";
            for (var i = 0; i < text.Length;)
            {
                i += text[i] == '\e' ? Obey(text, i) : Show(text, i);
            }
        }

        int Show(string text, int index)
        {
            var element = System.Globalization.StringInfo.GetNextTextElement(text, index);
            if (element is "\r\n" or "\n" or "\r")
            {
                _column = 0;
                _row += element == "\r" ? 0 : 1;
                if (_row == _rows.Count)
                {
                    _rows.Add([]);
                }

                return element.Length;
            }

            var row = _rows[_row];
            while (row.Count < _column)
            {
                row.Add(" ");
            }

            row.RemoveRange(_column, row.Count - _column);
            row.Add(element);
            // The second half of a wide letter is a cell without text.
            row.AddRange(Enumerable.Repeat("", element.GetCellWidth() - 1));
            _column = row.Count;
            Assert.True(_column <= width, $"'{string.Concat(row)}' is wider than {width} columns");
            return element.Length;
        }

        int Obey(string text, int index)
        {
            var end = index + 2;
            while (!char.IsAsciiLetter(text[end]))
            {
                end++;
            }

            var number = text[(index + 2)..end];
            switch (text[end])
            {
                case 'A':
                    _row -= int.Parse(number, System.Globalization.CultureInfo.InvariantCulture);
                    break;
                case 'C':
                    _column += int.Parse(number, System.Globalization.CultureInfo.InvariantCulture);
                    break;
                case 'J':
                    _rows.RemoveRange(_row + 1, _rows.Count - _row - 1);
                    _rows[_row].RemoveRange(_column, _rows[_row].Count - _column);
                    break;
                default:
                    Assert.Equal("?2004", number);
                    break;
            }

            return end + 1 - index;
        }
    }
}
