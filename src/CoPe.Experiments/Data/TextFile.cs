using System.Buffers;
using System.Text;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>Explains why a file that should be text cannot be read.</summary>
static class TextFile
{
    /// <summary>The error for a file that is no text, with the line and byte where that shows.</summary>
    public static DataFileException InvalidEncodingError(string path, DecoderFallbackException error)
    {
        var otherKind = FileSignature.Describe(path);
        if (otherKind is not null)
        {
            return new(new() { File = path }, otherKind, "a text file", "Give the text itself.", error);
        }

        var (line, offset) = FindInvalidByte(path);
        var found = offset is null
            ? "bytes that are no text in the encoding that its first bytes tell"
            : $"bytes that are neither UTF-8 nor UTF-16, the first at byte {offset}";
        return new(
            new() { File = path, Line = line },
            found,
            "a text file",
            "Save it as UTF-8, for example with 'iconv -f windows-1252 -t utf-8'.",
            error
        );
    }

    /// <summary>
    /// The first byte, counted from 1, that is no UTF-8, and its line; nothing in a file of another encoding.
    /// </summary>
    static (long? Line, long? Offset) FindInvalidByte(string path)
    {
        using var stream = File.OpenRead(path);
        var buffer = new byte[1 << 16];
        var line = 1L;
        var offset = 0L;
        var held = 0;
        while (true)
        {
            var read = stream.ReadAtLeast(buffer.AsSpan(held), 1, throwOnEndOfStream: false);
            var part = buffer.AsSpan(0, held + read);
            if (offset == 0 && !TextEncoding.Detect(part).IsUtf8)
            {
                return default;
            }

            while (part.Length > 0)
            {
                var status = Rune.DecodeFromUtf8(part, out var rune, out var length);
                if (status == OperationStatus.NeedMoreData && read > 0)
                {
                    break;
                }

                if (status != OperationStatus.Done)
                {
                    return (line, offset + 1);
                }

                if (rune.Value == '\n')
                {
                    line++;
                }

                part = part[length..];
                offset += length;
            }

            if (read == 0)
            {
                return default;
            }

            part.CopyTo(buffer);
            held = part.Length;
        }
    }
}

/// <summary>
/// Recognizes files that are compressed, or of another kind than text, by their first bytes, so that a message can say
/// what was given in the place of text.
/// </summary>
static class FileSignature
{
    /// <summary>What the file is, in words; null where its first bytes are no known signature.</summary>
    public static string? Describe(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> head = stackalloc byte[6];
        return head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)] switch
        {
            [0x1F, 0x8B, ..] => "a file packed with gzip (unpack it with gunzip)",
            [0x28, 0xB5, 0x2F, 0xFD, ..] => "a file packed with zstd (unpack it with unzstd)",
            [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', ..] =>
                "a file packed with bzip2 (unpack it with bunzip2)",
            [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0] => "a file packed with xz (unpack it with unxz)",
            [(byte)'P', (byte)'K', 3, 4, ..] =>
                "a zip archive, or a spreadsheet or document in one (unpack it, or save it as text)",
            [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..] => "a parquet file (name it .parquet)",
            [(byte)'%', (byte)'P', (byte)'D', (byte)'F', ..] => "a PDF file",
            _ => null,
        };
    }
}
