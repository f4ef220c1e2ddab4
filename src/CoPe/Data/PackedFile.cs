namespace CoPe.Data;

/// <summary>Tells files that are packed, or of another kind than text, by their first bytes: so that a message can say what was given in the place of text.</summary>
static class PackedFile
{
    /// <summary>What the file is, in words; null where its first bytes do not tell.</summary>
    public static string? Kind(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> head = stackalloc byte[6];
        return head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)] switch
        {
            [0x1F, 0x8B, ..] => "a file packed with gzip (unpack it with gunzip)",
            [0x28, 0xB5, 0x2F, 0xFD, ..] => "a file packed with zstd (unpack it with unzstd)",
            [(byte)'B', (byte)'Z', (byte)'h', >= (byte)'1' and <= (byte)'9', ..] => "a file packed with bzip2 (unpack it with bunzip2)",
            [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0] => "a file packed with xz (unpack it with unxz)",
            [(byte)'P', (byte)'K', 3, 4, ..] => "a zip archive, or a spreadsheet or document in one (unpack it, or save it as text)",
            [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..] => "a parquet file (name it .parquet)",
            [(byte)'%', (byte)'P', (byte)'D', (byte)'F', ..] => "a PDF file",
            _ => null,
        };
    }
}
