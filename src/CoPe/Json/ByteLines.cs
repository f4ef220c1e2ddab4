namespace CoPe.Json;

/// <summary>A line that is not empty.</summary>
/// <param name="Number">Its number, counted from 1.</param>
/// <param name="Text">Its bytes; valid until the next line is read.</param>
readonly record struct ByteLine(long Number, ReadOnlyMemory<byte> Text);

/// <summary>Reads the lines of a stream one at a time, without decoding them.</summary>
/// <param name="stream">The stream; not closed.</param>
/// <param name="takesUnfinished">Whether a last line without a newline is one.</param>
sealed class ByteLines(Stream stream, bool takesUnfinished)
{
    const byte NewLine = (byte)'\n';
    const int MaxLineBytes = 1 << 30;

    byte[] _buffer = new byte[1 << 16];
    int _start;
    int _end;

    public IEnumerable<ByteLine> Read()
    {
        for (var number = 1L; ; number++)
        {
            var length = FindLength(number);
            if (length < 0)
            {
                yield break;
            }

            if (length > 0)
            {
                yield return new(number, _buffer.AsMemory(_start, length));
            }

            _start = Math.Min(_end, _start + length + 1);
        }
    }

    /// <summary>Length of the next line; -1 where there is none.</summary>
    /// <exception cref="InvalidJsonException">It is too long.</exception>
    int FindLength(long number)
    {
        var searched = 0;
        while (true)
        {
            var length = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf(NewLine);
            if (length >= 0)
            {
                return searched + length;
            }

            searched = _end - _start;
            if (searched >= MaxLineBytes)
            {
                throw new InvalidJsonException($"line {number}", $"longer than {MaxLineBytes:N0} bytes");
            }

            if (!Fill())
            {
                return takesUnfinished && searched > 0 ? searched : -1;
            }
        }
    }

    bool Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        }

        var read = stream.Read(_buffer.AsSpan(_end));
        _end += read;
        return read > 0;
    }
}
