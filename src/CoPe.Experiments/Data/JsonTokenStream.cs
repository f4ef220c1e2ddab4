using System.Buffers;
using System.Text;
using System.Text.Json;
using CoPe.Experiments.Tasks;
using CoPe.Json;

namespace CoPe.Experiments.Data;

/// <summary>
/// Reads a JSON file token by token in bounded memory: one token, never the file, is held. UTF-8, UTF-16 and UTF-32
/// (both byte orders), with or without a byte order mark. Python's NaN is read as null, its Infinity as a number.
/// </summary>
sealed class JsonTokenStream : IDisposable
{
    const int MaxTokenBytes = 1 << 30;
    const int MaxNesting = 1 << 24;

    static readonly SearchValues<byte> BetweenTokens = SearchValues.Create(" \t\r\n,:"u8);

    readonly Stream _source;
    readonly Stream _stream;
    readonly Dictionary<string, string> _names = [];
    byte[] _buffer;
    int _start;
    int _end;
    string? _lastName;
    bool _isEmpty = true;
    bool _isSkipping;
    bool _atEnd;
    DecoderFallbackException? _pendingError;
    byte[]? _replacedWord;
    int _replacedOffset;
    bool _wasNaN;
    JsonReaderState _state;

    /// <param name="path">The file.</param>
    /// <param name="bufferSize">Bytes read at once.</param>
    /// <param name="allowsMany">Whether the file may hold several values after one another, as JSON lines do.</param>
    public JsonTokenStream(string path, int bufferSize = 1 << 16, bool allowsMany = false)
    {
        File = path;
        _buffer = new byte[bufferSize];
        _state = new(new() { AllowMultipleValues = allowsMany, MaxDepth = MaxNesting });
        _source = System.IO.File.OpenRead(path);
        _stream = TextEncoding.OpenAsUtf8(_source);
    }

    /// <param name="path">The file.</param>
    /// <param name="text">One value of it, in UTF-8.</param>
    public JsonTokenStream(string path, byte[] text)
    {
        File = path;
        _buffer = new byte[Math.Max(1, text.Length)];
        _state = new(new() { MaxDepth = MaxNesting });
        _source = _stream = new MemoryStream(text);
    }

    public string File { get; }

    /// <summary>Returns the location that errors name; null names the file alone.</summary>
    public Func<DataFileLocation>? GetLocation { get; set; }

    /// <summary>Number of the first line of what is read, for errors.</summary>
    public long FirstLine { get; init; } = 1;

    /// <summary>
    /// Gets what the tokens are read from, as it stands in the file, with what stands before each of them; null for
    /// none.
    /// </summary>
    public Stream? CopyTarget { get; set; }

    /// <summary>Bytes of the file that were read.</summary>
    public long BytesRead => _source.Position;

    /// <summary>Bytes of the file.</summary>
    public long Length => _source.Length;

    /// <summary>There is no token behind the current one.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>Kind of the current token.</summary>
    public JsonTokenType TokenType { get; private set; }

    /// <summary>How many objects and arrays are open around the current token.</summary>
    public int Depth { get; private set; }

    /// <summary>The file is no JSON from here on: nothing more can be read.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>
    /// The current token's text: a string, a property's name, a number as it is written, <c>true</c> or <c>false</c>.
    /// </summary>
    public string Text { get; private set; } = "";

    public void Dispose() => _stream.Dispose();

    /// <summary>Goes to the next token; false after the last.</summary>
    /// <exception cref="DataFileException">
    /// The file is broken from here on; or, where <see cref="IsBroken"/> is not set, this one text is no Unicode, and
    /// reading may continue behind it.
    /// </exception>
    public bool Read()
    {
        try
        {
            while (true)
            {
                ReplacePythonNumber();
                var reader = new Utf8JsonReader(_buffer.AsSpan(_start, _end - _start), _atEnd, _state);
                var found = reader.Read();
                if (found)
                {
                    RestorePythonNumber();
                }

                CopyTarget?.Write(_buffer, _start, (int)reader.BytesConsumed);
                _start += (int)reader.BytesConsumed;
                _state = reader.CurrentState;
                IsAtEnd = _atEnd && !found;
                if (found)
                {
                    SetToken(ref reader);
                }

                if (found || _atEnd)
                {
                    return found;
                }

                Refill();
            }
        }
        catch (JsonException error)
        {
            throw BrokenFileError(DescribeInvalidJson(error), error);
        }
        catch (DecoderFallbackException error)
        {
            throw BrokenFileError("bytes that are no text in the encoding that its first bytes tell", error);
        }
    }

    /// <summary>
    /// Skips the value that begins at the current token, or that the current property name announces.
    /// </summary>
    public void Skip()
    {
        _isSkipping = true;
        if (TokenType == JsonTokenType.PropertyName)
        {
            Read();
        }

        var depth = 0;
        do
        {
            if (TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                depth++;
            }
            else if (TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                depth--;
            }
        } while (depth > 0 && Read());
        _isSkipping = false;
    }

    /// <summary>
    /// Skips the object that begins at the current token and copies it as it stands in the file, in UTF-8.
    /// </summary>
    public void CopyObject(Stream target)
    {
        target.WriteByte((byte)'{');
        CopyTarget = target;
        Skip();
        CopyTarget = null;
    }

    /// <summary>
    /// Skips to the end of the value at this depth, from wherever inside it reading stopped.
    /// </summary>
    public void SkipToEndOfDepth(int depth)
    {
        _isSkipping = true;
        while ((Depth > depth || TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) && Read()) { }

        _isSkipping = false;
    }

    /// <summary>
    /// Puts a number of the standard in the place of Python's NaN or Infinity, where one comes next.
    /// </summary>
    void ReplacePythonNumber()
    {
        var length = _buffer.AsSpan(_start, _end - _start).IndexOfAnyExcept(BetweenTokens);
        if (length < 0 || _buffer[_start + length] is not ((byte)'N' or (byte)'I' or (byte)'-'))
        {
            return;
        }

        while (_end - _start - length <= PythonNumbers.MaxLength && !_atEnd)
        {
            Refill();
        }

        var isNegative = _buffer[_start + length] == '-' && _start + length + 1 < _end;
        var place = _start + length + (isNegative ? 1 : 0);
        var word = PythonNumbers.FindWord(_buffer.AsSpan(0, _end), place);
        if (word.Length > 0 && !(isNegative && word.SequenceEqual(PythonNumbers.NaN)))
        {
            (_replacedWord, _replacedOffset) = (word.ToArray(), place - _start);
            PythonNumbers.GetStandIn(word).CopyTo(_buffer.AsSpan(place));
        }
    }

    /// <summary>What was replaced stands again as it is in the file, for the token's text and for copies.</summary>
    void RestorePythonNumber()
    {
        _wasNaN = _replacedWord.AsSpan().SequenceEqual(PythonNumbers.NaN);
        _replacedWord?.CopyTo(_buffer, _start + _replacedOffset);
        _replacedWord = null;
    }

    void SetToken(ref Utf8JsonReader reader)
    {
        Depth = reader.CurrentDepth;
        // NaN is how pandas marks a missing value.
        TokenType = _wasNaN ? JsonTokenType.Null : reader.TokenType;
        if (_isSkipping)
        {
            return;
        }

        try
        {
            Text = TokenType switch
            {
                JsonTokenType.String => reader.GetString()!,
                JsonTokenType.PropertyName => _lastName = Intern(reader.GetString()!),
                JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
                JsonTokenType.True => "true",
                JsonTokenType.False => "false",
                _ => "",
            };
        }
        catch (InvalidOperationException error)
        {
            var location = CurrentLocation();
            throw new DataFileException(
                location with
                {
                    Field = TokenType == JsonTokenType.String ? _lastName : location.Field,
                },
                "text that is no valid Unicode: half of a surrogate pair, or bytes that are not UTF-8",
                "text in UTF-8",
                "Correct the text, or take the entry out.",
                error
            );
        }
    }

    /// <summary>The current token in words.</summary>
    public string DescribeToken() =>
        TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.String => $"the text \"{TruncateText(40)}\"",
            JsonTokenType.Null => "null",
            _ => Text,
        };

    /// <summary>The error for an object that has a field twice: which of the two is meant cannot be told.</summary>
    public DataFileException DuplicateFieldError(string name) =>
        new(CurrentLocation() with { Field = name }, "the field twice", "each field once", "Take out one of them.");

    /// <summary>Requires that nothing follows the value that was read last.</summary>
    /// <exception cref="DataFileException">There is more in the file.</exception>
    public void RequireEnd(string last)
    {
        if (Read())
        {
            throw new DataFileException(
                new() { File = File },
                $"more behind {last}",
                $"the end of the file after {last}",
                "Keep one in the file."
            );
        }
    }

    string TruncateText(int length) => Text.Length > length ? Text[..length] + "..." : Text;

    DataFileLocation CurrentLocation() => GetLocation?.Invoke() ?? new() { File = File };

    string Intern(string name) => _names.TryGetValue(name, out var known) ? known : _names[name] = name;

    void Refill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        }

        (_start, _end) = (0, _end - _start);
        if (_end == MaxTokenBytes)
        {
            throw BrokenFileError("a single text of a gigabyte or more", null);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        }

        _atEnd = !Fill();
        _isEmpty &= _atEnd;
    }

    /// <summary>
    /// Fills the whole buffer: an incomplete token is read again from its start, and UTF-16 comes in small pieces, so
    /// that taking a piece at a time would read it again and again. False at the end of the file.
    /// </summary>
    bool Fill()
    {
        if (_pendingError is not null)
        {
            throw _pendingError;
        }

        var oldEnd = _end;
        try
        {
            while (_end < _buffer.Length && _stream.Read(_buffer.AsSpan(_end)) is > 0 and var read)
            {
                _end += read;
            }
        }
        catch (DecoderFallbackException error) when (_end > oldEnd)
        {
            _pendingError = error; // What stands before it is read first, so that the error names the location.
        }

        return _end > oldEnd;
    }

    DataFileException BrokenFileError(string found, Exception? inner)
    {
        IsBroken = true;
        return new(
            CurrentLocation(),
            found,
            "a JSON file in UTF-8, UTF-16 or UTF-32",
            "The file may be cut short or damaged: fetch or make it again.",
            inner
        );
    }

    string DescribeInvalidJson(JsonException error)
    {
        if (_isEmpty)
        {
            return "an empty file";
        }

        var reason = JsonFaultFinder.DescribeSyntax(error);
        var position = $"line {error.LineNumber + FirstLine}, byte {error.BytePositionInLine + 1}";
        return FileSignature.Describe(File) ?? $"no valid JSON at {position} ({reason})";
    }
}
