using System.Text;

namespace CoPe.Cli.Terminal;

/// <summary>
/// A writer that never throws: what is shown of a work must not end it, on a full disk or a closed stream. The first
/// failure is kept.
/// </summary>
sealed class TolerantTextWriter(TextWriter inner) : TextWriter(inner.FormatProvider)
{
    /// <summary>The first failure; null while all was written.</summary>
    public Exception? Failure { get; private set; }

    public override Encoding Encoding => inner.Encoding;

    public override string NewLine => inner.NewLine;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void WriteLine() => Try(inner.WriteLine);

    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    public override void Flush() => Try(inner.Flush);

    void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            Failure ??= error;
        }
    }
}
