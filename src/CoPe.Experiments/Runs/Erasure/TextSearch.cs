using System.Buffers;
using System.IO.Compression;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CoPe.Experiments.Runs.Erasure;

/// <summary>
/// Searches files, byte by byte and in bounded memory, for texts in any of the forms that a run writes: UTF-8, UTF-16,
/// escaped for JSON, HTML or an address; also in zip and gzip.
/// </summary>
sealed class TextSearch
{
    /// <summary>More letters of a text are not compared: a file may hold it cut.</summary>
    const int MaxLetters = 200;

    /// <summary>
    /// Letters of a form that are searched for at once; only where they are found the rest is compared.
    /// </summary>
    const int BeginningLength = 16;

    const int ChunkBytes = 1 << 20;

    const long MaxUnpackedBytes = 1L << 32;

    readonly Dictionary<string, List<(string Form, string Text)>> _forms = [];
    readonly SearchValues<string> _beginnings;
    readonly int[] _beginningLengths;
    readonly int _maxForm;
    readonly bool _isOfWords;
    readonly CancellationToken _cancellation;

    /// <summary>Prepares the search for some texts.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="isOfWords">
    /// Leaves out what stands within a longer word of ASCII letters, where that can be told: for short texts.
    /// </param>
    /// <param name="cancellation">Ends the search.</param>
    public TextSearch(IEnumerable<string> texts, bool isOfWords = false, CancellationToken cancellation = default)
    {
        _isOfWords = isOfWords;
        _cancellation = cancellation;
        foreach (var text in texts.Distinct())
        {
            foreach (var form in GetForms(text))
            {
                var beginning = form[..Math.Min(form.Length, BeginningLength)];
                _forms.TryAdd(beginning, []);
                _forms[beginning].Add((form, text));
                _maxForm = Math.Max(_maxForm, form.Length);
            }
        }

        _beginnings = SearchValues.Create([.. _forms.Keys], StringComparison.Ordinal);
        _beginningLengths = [.. _forms.Keys.Select(beginning => beginning.Length).Distinct()];
    }

    /// <summary>The first of the texts that a file holds; null for none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isWhole">
    /// False where the file is packed, and what it unpacks to has no end in sight: then only a part was searched.
    /// </param>
    public string? FindInFile(string path, out bool isWhole)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1);
        Span<byte> first = stackalloc byte[4];
        first = first[..stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false)];
        var (isZip, isGzip) = (first is [(byte)'P', (byte)'K', ..], first is [0x1f, 0x8b, ..]);
        stream.Position = 0;
        isWhole = true;
        if (Find(stream, long.MaxValue, out _) is { } found)
        {
            return found;
        }

        stream.Position = 0;
        try
        {
            return isZip ? FindInZip(stream, out isWhole)
                : isGzip ? FindInGzip(stream, out isWhole)
                : null;
        }
        catch (InvalidDataException)
        {
            return null; // It only began like one: its bytes were searched as they are.
        }
    }

    /// <summary>The texts among those searched for that another text holds.</summary>
    public IEnumerable<string> FindAllIn(string text) => FindAll(GetString(Encoding.UTF8.GetBytes(text))).Distinct();

    string? FindInZip(FileStream stream, out bool isWhole)
    {
        isWhole = true;
        using var archive = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
        foreach (var entry in archive.Entries)
        {
            using var content = entry.Open();
            if (FindAllIn(entry.FullName).FirstOrDefault() is { } named)
            {
                return named;
            }

            if (Find(content, MaxUnpackedBytes, out var isAll) is { } found)
            {
                return found;
            }

            isWhole &= isAll;
        }

        return null;
    }

    string? FindInGzip(FileStream stream, out bool isWhole)
    {
        using var content = new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true);
        return Find(content, MaxUnpackedBytes, out isWhole);
    }

    string? Find(Stream stream, long maxBytes, out bool isWhole)
    {
        var bytes = new byte[ChunkBytes + _maxForm];
        var (kept, read) = (0, 0L);
        isWhole = true;
        while (stream.ReadAtLeast(bytes.AsSpan(kept), ChunkBytes, throwOnEndOfStream: false) is > 0 and var count)
        {
            _cancellation.ThrowIfCancellationRequested();
            var chunk = bytes.AsSpan(0, kept + count);
            if (FindAll(GetString(chunk)).FirstOrDefault() is { } found)
            {
                return found;
            }

            kept = Math.Clamp(_maxForm - 1, 0, chunk.Length);
            chunk[^kept..].CopyTo(bytes);
            read += count;
            if (read >= maxBytes)
            {
                isWhole = false;
                return null;
            }
        }

        return null;
    }

    IEnumerable<string> FindAll(string content)
    {
        for (var place = 0; place < content.Length; place++)
        {
            var next = content.AsSpan(place).IndexOfAny(_beginnings);
            if (next < 0)
            {
                yield break;
            }

            place += next;
            foreach (var text in FindAt(content, place))
            {
                yield return text;
            }
        }
    }

    IEnumerable<string> FindAt(string content, int place) =>
        from length in _beginningLengths
        where place + length <= content.Length
        from form in _forms.GetValueOrDefault(content.Substring(place, length)) ?? []
        where string.CompareOrdinal(content, place, form.Form, 0, form.Form.Length) == 0
        where !_isOfWords || !IsWithinWord(content, place, form.Form)
        select form.Text;

    /// <summary>Bytes of zero, as UTF-16 has them, tell nothing of the letters around.</summary>
    static bool IsWithinWord(string content, int place, string form)
    {
        var end = place + form.Length;
        var follows = end < content.Length && IsLetter(form[^1]) && IsLetter(content[end]);
        var precedes = place > 0 && IsLetter(form[0]) && IsLetter(content[place - 1]) && !EndsEscape(content, place);
        return (follows || precedes) && !form.Contains('\0', StringComparison.Ordinal);
    }

    static bool IsLetter(char letter) => char.IsAsciiLetterOrDigit(letter);

    /// <summary>Whether the letter before a place ends an escape: <c>\n</c>, <c>\u00fc</c> or <c>%20</c>.</summary>
    static bool EndsEscape(string content, int place) =>
        HasAt(content, place - 2, '\\') || HasAt(content, place - 3, '%') || HasAt(content, place - 6, '\\');

    static bool HasAt(string content, int place, char letter) => place >= 0 && content[place] == letter;

    /// <summary>Bytes as a string with a character for each, so that any bytes can be searched as text.</summary>
    static string GetString(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    static IEnumerable<string> GetForms(string whole)
    {
        var text = Cut(whole);
        string[] escaped =
        [
            text,
            JsonEncodedText.Encode(text).Value,
            EscapeLikePython(text),
            JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value,
            System.Net.WebUtility.HtmlEncode(text),
            HtmlEncoder.Default.Encode(text),
            Uri.EscapeDataString(text),
            text.Replace("\"", "\"\"", StringComparison.Ordinal), // as in CSV
        ];
        return escaped
            .Distinct()
            .Select(form => GetString(Encoding.UTF8.GetBytes(form)))
            .Concat([GetString(Encoding.Unicode.GetBytes(text)), GetString(Encoding.BigEndianUnicode.GetBytes(text))]);
    }

    /// <summary>As Python's json does by default: letters outside ASCII as lower-case hex.</summary>
    static string EscapeLikePython(string text)
    {
        var relaxed = JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value;
        return string.Concat(relaxed.Select(letter => letter < 0x7f ? letter.ToString() : $"\\u{(int)letter:x4}"));
    }

    static string Cut(string text)
    {
        if (text.Length <= MaxLetters)
        {
            return text;
        }

        var length = char.IsHighSurrogate(text[MaxLetters - 1]) ? MaxLetters - 1 : MaxLetters;
        return text[..length].TrimEnd();
    }
}
