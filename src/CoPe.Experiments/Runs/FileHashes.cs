using System.Text.Json;

namespace CoPe.Experiments.Runs;

/// <summary>
/// SHA-256 of input files, remembered by path, size and time of change, so that a large model is read once per run.
/// </summary>
/// <param name="store">File they are remembered in.</param>
public sealed class FileHashes(string store)
{
    readonly Dictionary<string, string> _known = Load(store);

    /// <summary>The hash of a file in lower-case hexadecimal digits.</summary>
    public string ComputeHash(string path)
    {
        var file = new FileInfo(path);
        var key = $"{file.FullName}|{file.Length}|{file.LastWriteTimeUtc.Ticks}";
        if (_known.TryGetValue(key, out var hash))
        {
            return hash;
        }

        using (var stream = file.OpenRead())
        {
            hash = StableHash.Sha256Hex(stream);
        }

        _known[key] = hash;
        AtomicFile.WriteText(store, JsonSerializer.Serialize(_known));
        return hash;
    }

    static Dictionary<string, string> Load(string store)
    {
        try
        {
            return File.Exists(store)
                ? JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(store)) ?? []
                : [];
        }
        catch (JsonException)
        {
            return []; // A cache: without it files are read again.
        }
    }
}
