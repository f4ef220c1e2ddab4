using System.IO.Compression;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using static System.StringComparison;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>Searches every byte of a folder.</summary>
static class EveryByte
{
    /// <summary>Files of a folder with a text in any form, in their content or their own name.</summary>
    public static IEnumerable<string> FindTexts(string folder, string[] texts)
    {
        var forms = texts.SelectMany(GetForms).Distinct().ToList();
        foreach (var path in Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(folder, path);
            var content = Directory.Exists(path) ? "" : Encoding.Latin1.GetString(File.ReadAllBytes(path));
            var all = relative + "\n" + content + "\n" + Unpack(path);
            if (forms.Find(form => all.Contains(form, Ordinal)) is { } found)
            {
                yield return $"{relative}: {found}";
            }
        }
    }

    /// <summary>A word's bytes in every form that a run may write it in, a letter for each byte.</summary>
    static IEnumerable<string> GetForms(string word)
    {
        string[] escaped =
        [
            word,
            JsonEncodedText.Encode(word).Value,
            JsonEncodedText.Encode(word, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value,
            System.Net.WebUtility.HtmlEncode(word),
            Uri.EscapeDataString(word),
        ];
        var bytes = escaped.Select(Encoding.UTF8.GetBytes).Append(Encoding.Unicode.GetBytes(word)).ToList();
        return bytes
            .Select(Encoding.Latin1.GetString)
            .Concat(word.Length < 6 ? [] : new[] { 0, 1, 2 }.Select(shift => EncodeInBase64(bytes[0], shift)));
    }

    /// <summary>The letters of base64 that bytes have wherever they stand, after 0, 1 or 2 bytes.</summary>
    static string EncodeInBase64(byte[] bytes, int shift)
    {
        var whole = Convert.ToBase64String([.. new byte[shift], .. bytes]);
        var start = shift == 0 ? 0 : 4;
        return whole[start..((shift + bytes.Length) / 3 * 4)];
    }

    /// <summary>What a file unpacks to, a letter for each byte; the parquet of a run is not packed.</summary>
    static string Unpack(string path)
    {
        switch (Path.GetExtension(path))
        {
            case ".zip":
                using (var zip = ZipFile.OpenRead(path))
                {
                    return string.Concat(zip.Entries.Select(entry => entry.FullName + ReadAll(entry.Open())));
                }
            case ".gz":
                return ReadAll(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
            default:
                return "";
        }
    }

    static string ReadAll(Stream stream)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return reader.ReadToEnd();
    }
}
