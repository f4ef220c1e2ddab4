using System.Text;

namespace CoPe.Data.Importing;

/// <summary>Opens text files of any make: UTF-8, UTF-16 and UTF-32, with or without byte order mark. What is none of these is refused, never guessed.</summary>
static class TextSource
{
    /// <summary>A reader over the file's text.</summary>
    public static StreamReader Open(string path)
    {
        var stream = File.OpenRead(path);
        Span<byte> head = stackalloc byte[4];
        var count = stream.ReadAtLeast(head, 4, throwOnEndOfStream: false);
        stream.Position = 0;
        // Text has a letter in its first two characters, so zero bytes beside it tell UTF-16 and UTF-32 where no mark does.
        Encoding encoding = head[..count] switch
        {
            [0xFF, 0xFE, 0, 0] => new UTF32Encoding(false, true, true),
            [0, 0, 0xFE, 0xFF] => new UTF32Encoding(true, true, true),
            [not 0, 0, 0, 0] => new UTF32Encoding(false, false, true),
            [0, 0, 0, not 0] => new UTF32Encoding(true, false, true),
            [0xFF, 0xFE, ..] => new UnicodeEncoding(false, true, true),
            [0xFE, 0xFF, ..] => new UnicodeEncoding(true, true, true),
            [not 0, 0, not 0, 0] => new UnicodeEncoding(false, false, true),
            [0, not 0, 0, not 0] => new UnicodeEncoding(true, false, true),
            _ => new UTF8Encoding(true, true),
        };
        // Each passes over its own mark. A reader that looked for marks by itself would go on with a decoder that replaces what is no text.
        return new StreamReader(stream, encoding, detectEncodingFromByteOrderMarks: false);
    }

    /// <summary>The error for a file that is no text, with the line and byte where that shows.</summary>
    public static DataFileException NoText(string path, DecoderFallbackException error)
    {
        if (PackedFile.Kind(path) is { } packed) return new(new() { File = path }, packed, "a text file", "Give the text itself.", error);
        var (line, offset) = FirstFault(path);
        return new(new() { File = path, Line = line }, offset is null ? "bytes that are no text in the encoding that its first bytes tell" : $"bytes that are neither UTF-8 nor UTF-16, the first at byte {offset}", "a text file", "Save it as UTF-8, for example with 'iconv -f windows-1252 -t utf-8'.", error);
    }

    /// <summary>The first byte, counted from 1, that is no UTF-8, and its line; nothing in a file of another encoding.</summary>
    static (long? Line, long? Offset) FirstFault(string path)
    {
        using var stream = File.OpenRead(path);
        var buffer = new byte[1 << 16];
        var (line, offset, held) = (1L, 0L, 0);
        while (true)
        {
            var read = stream.ReadAtLeast(buffer.AsSpan(held), 1, throwOnEndOfStream: false);
            var part = buffer.AsSpan(0, held + read);
            if (offset == 0 && part is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [not 0, 0, ..] or [0, not 0, ..]) return default;
            while (part.Length > 0)
            {
                var status = Rune.DecodeFromUtf8(part, out var rune, out var length);
                if (status == System.Buffers.OperationStatus.NeedMoreData && read > 0) break;
                if (status != System.Buffers.OperationStatus.Done) return (line, offset + 1);
                if (rune.Value == '\n') line++;
                part = part[length..];
                offset += length;
            }

            if (read == 0) return default;
            part.CopyTo(buffer);
            held = part.Length;
        }
    }
}
