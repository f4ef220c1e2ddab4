using System.Globalization;
using System.Text;
using Spectre.Console;

namespace CoPe.Cli.Terminal;

/// <summary>
/// Reads lines from a terminal, with the keys of a shell: arrows, Home and End, Ctrl-A E K U W, Alt-B F, history with
/// up and down, Tab for a command's name. Long lines wrap, and a text that is pasted keeps its line breaks.
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

    /// <summary>A terminal that knows these puts what is pasted between two marks.</summary>
    const string MarkPastes = "\e[?2004h";
    const string DoNotMarkPastes = "\e[?2004l";
    const string PasteBegins = "200~";
    const string PasteEnds = "201~";

    readonly LineHistory _history = new();
    LineBuffer _line = new();
    int _cursorRow;

    /// <summary>The next line; null at the end (Ctrl-D on an empty line).</summary>
    public string? ReadLine()
    {
        _line = new LineBuffer();
        _cursorRow = 0;
        terminal.Write(MarkPastes);
        Draw();
        while (true)
        {
            var key = keys.ReadKey();
            if (IsEnter(key))
            {
                Leave();
                _history.Add(_line.Text);
                return _line.Text;
            }

            if (key is { Key: ConsoleKey.D, Modifiers: ConsoleModifiers.Control } && _line.Text.Length == 0)
            {
                Leave();
                return null;
            }

            if (Apply(key))
            {
                Draw();
            }
        }
    }

    /// <summary>Leaves a line that will not be finished, because the program ends.</summary>
    public void Abandon() => Leave();

    static bool IsEnter(ConsoleKeyInfo key) => key.Key == ConsoleKey.Enter || key.KeyChar is '\r' or '\n';

    bool Apply(ConsoleKeyInfo key)
    {
        if (key.Key == ConsoleKey.Escape)
        {
            // Escape and then a key is what a terminal sends for Alt and that key.
            return ApplyAlt(keys.ReadKey());
        }

        if (key.Modifiers.HasFlag(ConsoleModifiers.Alt))
        {
            return ApplyAlt(key);
        }

        return key.Modifiers.HasFlag(ConsoleModifiers.Control) ? ApplyControl(key) : ApplyPlain(key);
    }

    /// <summary>What a key does; false where it does nothing.</summary>
    bool ApplyPlain(ConsoleKeyInfo key)
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
            _ when key.KeyChar == '[' => ReadMark,
            _ => null,
        };
        act?.Invoke();
        return act is not null;
    }

    /// <summary>Reads what follows <c>Escape [</c>: the mark before a pasted text, and then the text.</summary>
    void ReadMark()
    {
        var mark = "";
        do
        {
            mark += keys.ReadKey().KeyChar;
        } while (char.IsAsciiDigit(mark[^1]) || mark[^1] == ';');

        if (mark == PasteBegins)
        {
            _line.Insert(TerminalText.RemoveControls(ReadPaste()));
        }
    }

    string ReadPaste()
    {
        var text = new StringBuilder();
        while (true)
        {
            var key = keys.ReadKey();
            text.Append(IsEnter(key) ? '\n' : key.KeyChar);
            if (key.Key != ConsoleKey.Escape && text.ToString().EndsWith("[" + PasteEnds, StringComparison.Ordinal))
            {
                // The escape before the mark is removed with the other controls.
                return text.ToString(0, text.Length - PasteEnds.Length - 1);
            }
        }
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

        var common = names.Aggregate((left, right) => left[..left.AsSpan().CommonPrefixLength(right)]);
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
        terminal.Write(DoNotMarkPastes + "\r\n");
        terminal.Flush();
    }

    /// <summary>Draws prompt and line over what was drawn before, and puts the cursor in its place.</summary>
    void Draw()
    {
        var output = new StringBuilder();
        AppendMove(output, _cursorRow, 'A');
        output.Append("\r\e[J").Append(Prompt);
        var (cursor, end) = AppendLine(output, Math.Max(LeastWidth, getWidth()));
        AppendMove(output, end.Row - cursor.Row, 'A');
        output.Append('\r');
        AppendMove(output, cursor.Column, 'C');
        _cursorRow = cursor.Row;
        terminal.Write(output.ToString());
        terminal.Flush();
    }

    /// <summary>Appends the line, wrapped; returns where its cursor is, and where it ends.</summary>
    (Position Cursor, Position End) AppendLine(StringBuilder output, int width)
    {
        var end = new Position(0, Prompt.Length);
        var cursor = end;
        var element = "";
        for (var i = 0; i < _line.Text.Length; i += element.Length)
        {
            element = _line.Text.Substring(i, StringInfo.GetNextTextElementLength(_line.Text, i));
            var isBreak = element is "\n" or "\r\n";
            var cells = isBreak ? 0 : Math.Max(0, element.GetCellWidth());
            end = end.Column + cells > width ? BeginRow(output, end) : end;
            cursor = i == _line.Cursor ? end : cursor;
            end = isBreak ? BeginRow(output, end) : end with { Column = end.Column + cells };
            output.Append(isBreak ? "" : element);
        }

        end = end.Column == width ? BeginRow(output, end) : end;
        return (_line.Cursor == _line.Text.Length ? end : cursor, end);
    }

    static Position BeginRow(StringBuilder output, Position position)
    {
        output.Append("\r\n");
        return new(position.Row + 1, 0);
    }

    static void AppendMove(StringBuilder output, int count, char direction)
    {
        if (count > 0)
        {
            output.Append(CultureInfo.InvariantCulture, $"\e[{count}{direction}");
        }
    }

    /// <summary>A place on the screen, counted from the beginning of the prompt.</summary>
    readonly record struct Position(int Row, int Column);
}
