using System.Text;

namespace CoPe.Cli.Terminal;

/// <summary>
/// A writer of plain text to a terminal, or to a file that may be shown on one: whatever is written passes
/// <see cref="TerminalText.RemoveControls"/>. Only <see cref="Unfiltered"/> takes escape sequences. Neither throws
/// where the terminal or file fails.
/// </summary>
sealed class TerminalTextWriter : TextWriter
{
    readonly TolerantTextWriter _tolerant;

    TerminalTextWriter(TextWriter inner)
        : base(inner.FormatProvider)
    {
        _tolerant = new(inner);
        CoreNewLine = inner.NewLine.ToCharArray();
    }

    /// <summary>A writer in front of another one; a writer of this kind stays what it is.</summary>
    public static TerminalTextWriter Wrap(TextWriter writer) =>
        writer as TerminalTextWriter ?? new TerminalTextWriter(writer);

    /// <summary>The writer behind, for the program's own colors and cursor movements.</summary>
    public TextWriter Unfiltered => _tolerant;

    /// <summary>The first failure to write; null while all was written.</summary>
    public Exception? Failure => _tolerant.Failure;

    public override Encoding Encoding => Unfiltered.Encoding;

    public override void Write(char value) => Write(value.ToString());

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void Write(string? value)
    {
        if (!string.IsNullOrEmpty(value))
        {
            Unfiltered.Write(TerminalText.RemoveControls(value));
        }
    }

    public override void WriteLine() => Unfiltered.WriteLine();

    /// <summary>In one call, so that lines of several threads do not mix.</summary>
    public override void WriteLine(string? value) => Unfiltered.WriteLine(TerminalText.RemoveControls(value ?? ""));

    public override void Flush() => Unfiltered.Flush();
}
