using System.Text;

namespace CoPe.Data;

/// <summary>JSON text as UTF-8, whatever it is written in: UTF-8, or UTF-16 or UTF-32 in either byte order, with or without a byte order mark.</summary>
static class Utf8Stream
{
    /// <summary>The same text without its mark; closing it closes what it reads.</summary>
    /// <param name="json">A stream at its start that can seek. A JSON text starts with an ASCII character, so zero bytes beside it tell UTF-16 and UTF-32 where no mark does.</param>
    public static Stream Of(Stream json)
    {
        Span<byte> head = stackalloc byte[4];
        var count = json.ReadAtLeast(head, 4, throwOnEndOfStream: false);
        var (encoding, mark) = head[..count] switch
        {
            [0xEF, 0xBB, 0xBF, ..] => ((Encoding?)null, 3),
            [0xFF, 0xFE, 0, 0] => (new UTF32Encoding(false, false, true), 4),
            [0, 0, 0xFE, 0xFF] => (new UTF32Encoding(true, false, true), 4),
            [not 0, 0, 0, 0] => (new UTF32Encoding(false, false, true), 0),
            [0, 0, 0, not 0] => (new UTF32Encoding(true, false, true), 0),
            [0xFF, 0xFE, ..] => (new UnicodeEncoding(false, false, true), 2),
            [0xFE, 0xFF, ..] => (new UnicodeEncoding(true, false, true), 2),
            [not 0, 0, ..] => (new UnicodeEncoding(false, false, true), 0),
            [0, not 0, ..] => (new UnicodeEncoding(true, false, true), 0),
            _ => (null, 0),
        };
        json.Position = mark;
        return encoding is null ? json : Encoding.CreateTranscodingStream(json, encoding, Encoding.UTF8);
    }
}
