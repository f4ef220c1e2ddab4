using System.Text.Json;

namespace CoPe.Experiments.Runs;

/// <summary>
/// SHA-256 of input files, remembered by path, size, time of change and a sample of the content, so that a large model
/// is read whole once per run.
/// </summary>
/// <remarks>
/// Size and time alone would miss a file that was restored or copied with its time. A file of up to 128 KiB is its own
/// sample; of a larger one, a change that touches none of the sampled blocks and keeps size and time is not noticed.
/// </remarks>
/// <param name="store">File they are remembered in.</param>
sealed class FileHashes(string store)
{
    const int SampledBlocks = 32;
    const int BlockBytes = 1 << 12;

    readonly Dictionary<string, string> _known = Load(store);
    bool _hasNew;

    /// <summary>The hash of a file in lower-case hexadecimal digits.</summary>
    public string ComputeHash(string path)
    {
        var file = new FileInfo(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        var key = $"{file.FullName}|{file.Length}|{file.LastWriteTimeUtc.Ticks}|{HashSample(stream)}";
        if (_known.TryGetValue(key, out var hash))
        {
            return hash;
        }

        stream.Position = 0;
        hash = StableHash.Sha256Hex(stream);
        _known[key] = hash;
        _hasNew = true;
        return hash;
    }

    /// <summary>Takes over what another run remembers, where this one remembers nothing.</summary>
    public void ReuseFrom(string otherStore)
    {
        if (_known.Count > 0)
        {
            return;
        }

        foreach (var (key, hash) in Load(otherStore))
        {
            _known[key] = hash;
            _hasNew = true;
        }
    }

    /// <summary>
    /// Writes the store, where there is something new. Not done with each hash: a command that is refused leaves the
    /// run as it was.
    /// </summary>
    public void Save()
    {
        if (!_hasNew)
        {
            return;
        }

        AtomicFile.WriteText(store, JsonSerializer.Serialize(_known));
        _hasNew = false;
    }

    /// <summary>The hash of a sample of a file's content.</summary>
    public static string HashSample(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return HashSample(stream);
    }

    /// <summary>The hash of blocks at even distances, the first and the last among them.</summary>
    static string HashSample(FileStream stream)
    {
        if (stream.Length <= SampledBlocks * BlockBytes)
        {
            return StableHash.Sha256Hex(stream);
        }

        var sample = new byte[SampledBlocks * BlockBytes];
        var lastBlock = stream.Length - BlockBytes;
        for (var block = 0; block < SampledBlocks; block++)
        {
            stream.Position = lastBlock * block / (SampledBlocks - 1);
            stream.ReadExactly(sample, block * BlockBytes, BlockBytes);
        }

        return StableHash.Sha256Hex(sample);
    }

    /// <summary>The hashes of a store; none where it is damaged: then files are read again.</summary>
    public static Dictionary<string, string> Load(string store) =>
        RunJson.TryRead<Dictionary<string, string>>(store) ?? [];
}
