using System.Globalization;
using System.Text;
using Spectre.Console;

namespace CoPe.Cli.Terminal;

/// <summary>
/// Reads lines from a terminal, with the keys of a shell: arrows, Home and End, Ctrl-A E K U W, Alt-B F, history with
/// up and down, Tab for a command's name. Long lines wrap.
/// </summary>
/// <param name="terminal">Takes text and escape sequences.</param>
/// <param name="keys">The keys.</param>
/// <param name="getWidth">The terminal's columns at the moment.</param>
/// <param name="complete">The names that begin as the line does.</param>
sealed class LineEditor(
    TextWriter terminal,
    IKeyReader keys,
    Func<int> getWidth,
    Func<string, IReadOnlyList<string>> complete
)
{
    const string Prompt = "> ";
    const int LeastWidth = 8;

    readonly LineHistory _history = new();
    LineBuffer _line = new();
    int _cursorRow;

    /// <summary>The next line; null at the end (Ctrl-D on an empty line).</summary>
    public string? ReadLine()
    {
        _line = new LineBuffer();
        _cursorRow = 0;
        Draw();
        while (true)
        {
            var key = keys.ReadKey();
            var isControl = key.Modifiers.HasFlag(ConsoleModifiers.Control);
            if (key.Key == ConsoleKey.Enter || key.KeyChar is '\r' or '\n')
            {
                Leave();
                _history.Add(_line.Text);
                return _line.Text;
            }

            if (isControl && key.Key == ConsoleKey.D && _line.Text.Length == 0)
            {
                Leave();
                return null;
            }

            if (key.Modifiers.HasFlag(ConsoleModifiers.Alt) ? ApplyAlt(key) : isControl ? ApplyControl(key) : Apply(key))
            {
                Draw();
            }
        }
    }

    /// <summary>What a key does; false where it does nothing.</summary>
    bool Apply(ConsoleKeyInfo key)
    {
        Action? act = key.Key switch
        {
            ConsoleKey.LeftArrow => _line.MoveLeft,
            ConsoleKey.RightArrow => _line.MoveRight,
            ConsoleKey.Home => _line.MoveToStart,
            ConsoleKey.End => _line.MoveToEnd,
            ConsoleKey.Backspace => _line.DeleteLeft,
            ConsoleKey.Delete => _line.DeleteRight,
            ConsoleKey.UpArrow => () => Replace(_history.MoveUp(_line.Text)),
            ConsoleKey.DownArrow => () => Replace(_history.MoveDown()),
            ConsoleKey.Tab => Complete,
            ConsoleKey.Escape => null,
            _ when !char.IsControl(key.KeyChar) => () => _line.Insert(key.KeyChar.ToString()),
            _ => null,
        };
        act?.Invoke();
        return act is not null;
    }

    bool ApplyControl(ConsoleKeyInfo key)
    {
        Action? act = key.Key switch
        {
            ConsoleKey.A => _line.MoveToStart,
            ConsoleKey.E => _line.MoveToEnd,
            ConsoleKey.B => _line.MoveLeft,
            ConsoleKey.F => _line.MoveRight,
            ConsoleKey.D => _line.DeleteRight,
            ConsoleKey.H => _line.DeleteLeft,
            ConsoleKey.K => _line.DeleteToEnd,
            ConsoleKey.U => _line.DeleteToStart,
            ConsoleKey.W or ConsoleKey.Backspace => _line.DeleteWordLeft,
            ConsoleKey.P => () => Replace(_history.MoveUp(_line.Text)),
            ConsoleKey.N => () => Replace(_history.MoveDown()),
            ConsoleKey.LeftArrow => _line.MoveWordLeft,
            ConsoleKey.RightArrow => _line.MoveWordRight,
            ConsoleKey.L => ClearScreen,
            _ => null,
        };
        act?.Invoke();
        return act is not null;
    }

    bool ApplyAlt(ConsoleKeyInfo key)
    {
        Action? act = key.Key switch
        {
            ConsoleKey.B or ConsoleKey.LeftArrow => _line.MoveWordLeft,
            ConsoleKey.F or ConsoleKey.RightArrow => _line.MoveWordRight,
            ConsoleKey.Backspace => _line.DeleteWordLeft,
            _ => null,
        };
        act?.Invoke();
        return act is not null;
    }

    void Replace(string? text)
    {
        if (text is not null)
        {
            _line.Set(text);
        }
    }

    /// <summary>Completes to what all names that begin so have in common.</summary>
    void Complete()
    {
        var names = complete(_line.Text);
        if (names.Count == 0)
        {
            return;
        }

        var common = names.Aggregate(
            (left, right) => left[..left.AsSpan().CommonPrefixLength(right)]
        );
        _line.Set(names.Count == 1 ? common + " " : common);
    }

    void ClearScreen()
    {
        terminal.Write("\e[H\e[2J");
        _cursorRow = 0;
    }

    /// <summary>Puts the cursor behind the line and begins a new one.</summary>
    void Leave()
    {
        _line.MoveToEnd();
        Draw();
        terminal.Write("\r\n");
        terminal.Flush();
    }

    /// <summary>Draws prompt and line over what was drawn before, and puts the cursor in its place.</summary>
    void Draw()
    {
        var width = Math.Max(LeastWidth, getWidth());
        var output = new StringBuilder();
        AppendMove(output, _cursorRow, 'A');
        output.Append("\r\e[J").Append(Prompt);
        var (row, column) = (0, Prompt.Length);
        var (cursorRow, cursorColumn) = (row, column);
        for (var i = 0; i < _line.Text.Length; )
        {
            var length = StringInfo.GetNextTextElementLength(_line.Text, i);
            var element = _line.Text.Substring(i, length);
            var cells = Math.Max(0, element.GetCellWidth());
            if (column + cells > width)
            {
                output.Append("\r\n");
                (row, column) = (row + 1, 0);
            }

            if (i == _line.Cursor)
            {
                (cursorRow, cursorColumn) = (row, column);
            }

            output.Append(element);
            column += cells;
            i += length;
        }

        if (column == width)
        {
            output.Append("\r\n");
            (row, column) = (row + 1, 0);
        }

        if (_line.Cursor == _line.Text.Length)
        {
            (cursorRow, cursorColumn) = (row, column);
        }

        AppendMove(output, row - cursorRow, 'A');
        output.Append('\r');
        AppendMove(output, cursorColumn, 'C');
        _cursorRow = cursorRow;
        terminal.Write(output.ToString());
        terminal.Flush();
    }

    static void AppendMove(StringBuilder output, int count, char direction)
    {
        if (count > 0)
        {
            output.Append(CultureInfo.InvariantCulture, $"\e[{count}{direction}");
        }
    }
}
