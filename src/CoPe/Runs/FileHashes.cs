using System.Security.Cryptography;
using System.Text.Json;

namespace CoPe.Runs;

/// <summary>SHA-256 of input files, remembered by path, size and time of change, so that a large model is read once per run.</summary>
/// <param name="store">File they are remembered in.</param>
public sealed class FileHashes(string store)
{
    readonly Dictionary<string, string> known = Load(store);

    /// <summary>The hash of a file in lower-case hexadecimal digits.</summary>
    public string Of(string path)
    {
        var file = new FileInfo(path);
        var key = $"{file.FullName}|{file.Length}|{file.LastWriteTimeUtc.Ticks}";
        if (known.TryGetValue(key, out var hash)) return hash;
        using (var stream = file.OpenRead()) hash = Convert.ToHexStringLower(SHA256.HashData(stream));
        known[key] = hash;
        AtomicFile.WriteText(store, JsonSerializer.Serialize(known));
        return hash;
    }

    static Dictionary<string, string> Load(string store)
    {
        try
        {
            return File.Exists(store) ? JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(store)) ?? [] : [];
        }
        catch (JsonException)
        {
            return []; // A cache: without it files are read again.
        }
    }
}
