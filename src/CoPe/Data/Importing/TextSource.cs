using System.Text;

namespace CoPe.Data.Importing;

/// <summary>Opens text files of any make: UTF-8 and UTF-16, with or without byte order mark. What is neither is refused, never guessed.</summary>
static class TextSource
{
    /// <summary>A reader over the file's text.</summary>
    public static StreamReader Open(string path)
    {
        var stream = File.OpenRead(path);
        Span<byte> head = stackalloc byte[4];
        var count = stream.ReadAtLeast(head, 4, throwOnEndOfStream: false);
        stream.Position = 0;
        // Text has a letter in its first two characters, so a zero byte beside it tells UTF-16 where no mark does.
        Encoding encoding = head[..count] switch
        {
            [0xFF, 0xFE, ..] => new UnicodeEncoding(false, true, true),
            [0xFE, 0xFF, ..] => new UnicodeEncoding(true, true, true),
            [not 0, 0, not 0, 0] => new UnicodeEncoding(false, false, true),
            [0, not 0, 0, not 0] => new UnicodeEncoding(true, false, true),
            _ => new UTF8Encoding(false, true),
        };
        return new StreamReader(stream, encoding, detectEncodingFromByteOrderMarks: true);
    }

    /// <summary>The error for a file that is no text.</summary>
    public static DataFileException NoText(string path, long? line, DecoderFallbackException error) =>
        new(new() { File = path, Line = line }, "bytes that are neither UTF-8 nor UTF-16", "a text file", "Save it as UTF-8, for example with 'iconv -f windows-1252 -t utf-8'.", error);
}
