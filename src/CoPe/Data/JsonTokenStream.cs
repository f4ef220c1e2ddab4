using System.Text;
using System.Text.Json;

namespace CoPe.Data;

/// <summary>Reads a JSON file token by token in bounded memory: one token, never the file, is held. UTF-8, UTF-16 and UTF-32 (both byte orders), with or without a byte order mark.</summary>
sealed class JsonTokenStream : IDisposable
{
    const int LongestToken = 1 << 30;
    const int DeepestNesting = 1 << 24;

    readonly FileStream file;
    readonly Stream stream;
    readonly Dictionary<string, string> names = [];
    byte[] buffer;
    int start;
    int end;
    string? lastName;
    bool isEmpty = true;
    bool isSkipping;
    Stream? copy;
    bool atEnd;
    DecoderFallbackException? fault;
    JsonReaderState state;

    /// <param name="path">The file.</param>
    /// <param name="bufferSize">Bytes read at once.</param>
    /// <param name="isMany">Whether the file may hold several values, one after the other, as JSON lines do.</param>
    public JsonTokenStream(string path, int bufferSize = 1 << 16, bool isMany = false)
    {
        File = path;
        buffer = new byte[bufferSize];
        state = new(new() { AllowMultipleValues = isMany, MaxDepth = DeepestNesting });
        file = System.IO.File.OpenRead(path);
        stream = Utf8Stream.Of(file);
    }

    public string File { get; }

    /// <summary>Where in the file reading is, as its reader knows it; errors name it.</summary>
    public Func<DataFilePlace>? Where { get; set; }

    /// <summary>Bytes of the file that were read.</summary>
    public long BytesRead => file.Position;

    /// <summary>Bytes of the file.</summary>
    public long Length => file.Length;

    /// <summary>There is no token behind the current one.</summary>
    public bool IsAtEnd { get; private set; }

    /// <summary>Kind of the current token.</summary>
    public JsonTokenType Type { get; private set; }

    /// <summary>How many objects and arrays are open around the current token.</summary>
    public int Depth { get; private set; }

    /// <summary>The file is no JSON from here on: nothing more can be read.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>The current token's text: a string, a property's name, a number as it is written, <c>true</c> or <c>false</c>.</summary>
    public string Text { get; private set; } = "";

    public void Dispose() => stream.Dispose();

    /// <summary>Goes to the next token; false after the last.</summary>
    /// <exception cref="DataFileException">The file is broken from here on, or, where <see cref="IsBroken"/> is not set, this one text is no Unicode and reading may go on behind it.</exception>
    public bool Read()
    {
        try
        {
            while (true)
            {
                var reader = new Utf8JsonReader(buffer.AsSpan(start, end - start), atEnd, state);
                var found = reader.Read();
                copy?.Write(buffer, start, (int)reader.BytesConsumed);
                start += (int)reader.BytesConsumed;
                state = reader.CurrentState;
                IsAtEnd = atEnd && !found;
                if (found) Take(ref reader);
                if (found || atEnd) return found;
                Refill();
            }
        }
        catch (JsonException error)
        {
            throw Broken(isEmpty ? "an empty file" : PackedFile.Kind(File) is { } packed ? packed : $"no valid JSON at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1} ({Reason(error)})", error);
        }
        catch (DecoderFallbackException error)
        {
            throw Broken("bytes that are no text in the encoding that its first bytes tell", error);
        }
    }

    /// <summary>Passes over the value that begins at the current token, or that the current property name announces.</summary>
    public void Skip()
    {
        isSkipping = true;
        if (Type == JsonTokenType.PropertyName) Read();
        var depth = 0;
        do
        {
            if (Type is JsonTokenType.StartObject or JsonTokenType.StartArray) depth++;
            else if (Type is JsonTokenType.EndObject or JsonTokenType.EndArray) depth--;
        }
        while (depth > 0 && Read());
        isSkipping = false;
    }

    /// <summary>Passes over the object that begins at the current token and writes it as it stands in the file, in UTF-8.</summary>
    public void CopyObject(Stream target)
    {
        target.WriteByte((byte)'{');
        copy = target;
        Skip();
        copy = null;
    }

    /// <summary>
    /// Reads the object that begins at the current token, to its end: texts, numbers, truth values and nulls by name. Objects and arrays are offered to <paramref name="nested"/>, and passed over where it does
    /// not take them.
    /// </summary>
    /// <exception cref="DataFileException">A field stands twice.</exception>
    public Dictionary<string, string?> ReadScalars(Func<string, bool>? nested = null)
    {
        var scalars = new Dictionary<string, string?>();
        var taken = false;
        while (Read() && Type == JsonTokenType.PropertyName)
        {
            var name = Text;
            Read();
            if (Type is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                if (nested?.Invoke(name) != true) Skip();
                else if (taken) throw Twice(name);
                else taken = true;
            }
            else if (!scalars.TryAdd(name, Type == JsonTokenType.Null ? null : Text)) throw Twice(name);
        }

        return scalars;
    }

    /// <summary>Goes to the end of the value that lies at this depth, from wherever inside it reading stopped.</summary>
    public void SkipToEndOf(int depth)
    {
        isSkipping = true;
        while ((Depth > depth || Type is JsonTokenType.StartObject or JsonTokenType.StartArray) && Read())
        {
        }

        isSkipping = false;
    }

    void Take(ref Utf8JsonReader reader)
    {
        Depth = reader.CurrentDepth;
        Type = reader.TokenType;
        if (isSkipping) return;
        try
        {
            Text = Type switch
            {
                JsonTokenType.String => reader.GetString()!,
                JsonTokenType.PropertyName => lastName = Shared(reader.GetString()!),
                JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
                JsonTokenType.True => "true",
                JsonTokenType.False => "false",
                _ => "",
            };
        }
        catch (InvalidOperationException error)
        {
            var place = Place();
            throw new DataFileException(place with { Field = Type == JsonTokenType.String ? lastName : place.Field }, "text that is no valid Unicode: half of a surrogate pair, or bytes that are not UTF-8", "text in UTF-8", "Correct the text, or take the entry out.", error);
        }
    }

    /// <summary>The current token in words.</summary>
    public string Described() => Type switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => $"the text \"{(Text.Length > 40 ? Text[..40] + "..." : Text)}\"",
        JsonTokenType.Null => "null",
        _ => Text,
    };

    /// <summary>The error for an object that names a field twice: which of the two is meant cannot be told.</summary>
    public DataFileException Twice(string name) => new(Place() with { Field = name }, "the field twice", "each field once", "Take out one of them.");

    /// <summary>Requires that nothing follows the value that was read last.</summary>
    /// <exception cref="DataFileException">There is more in the file.</exception>
    public void RequireEnd(string last)
    {
        if (Read()) throw new DataFileException(new() { File = File }, $"more behind {last}", $"the end of the file after {last}", "Keep one in the file.");
    }

    DataFilePlace Place() => Where?.Invoke() ?? new() { File = File };

    string Shared(string name) => names.TryGetValue(name, out var known) ? known : names[name] = name;

    void Refill()
    {
        if (start > 0) buffer.AsSpan(start, end - start).CopyTo(buffer);
        (start, end) = (0, end - start);
        if (end == LongestToken) throw Broken("a single text of a gigabyte or more", null);
        if (end == buffer.Length) Array.Resize(ref buffer, 2 * buffer.Length);
        atEnd = !Fill();
        isEmpty &= atEnd;
    }

    /// <summary>Fills the buffer, not with whatever comes first: an incomplete token is read again from its start, and UTF-16 comes in small pieces. False at the end of the file.</summary>
    bool Fill()
    {
        if (fault is not null) throw fault;
        var had = end;
        try
        {
            while (end < buffer.Length && stream.Read(buffer.AsSpan(end)) is > 0 and var read) end += read;
        }
        catch (DecoderFallbackException error) when (end > had)
        {
            fault = error; // What stands before it is read first, so that the error names the place.
        }

        return end > had;
    }

    DataFileException Broken(string found, Exception? inner)
    {
        IsBroken = true;
        return new(Place(), found, "a JSON file in UTF-8, UTF-16 or UTF-32", "The file may be cut short or damaged: fetch or make it again.", inner);
    }

    static string Reason(JsonException error) => error.Message.Split(" LineNumber:")[0].TrimEnd('.');
}
