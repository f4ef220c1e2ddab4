using System.Text.Json;

namespace CoPe.Experiments.Runs;

/// <summary>
/// SHA-256 of input files, remembered by path, size, time of change and a sample of the content, so that a large model
/// is read whole once per run. Within a command a file has one hash: that of what the command read.
/// </summary>
/// <remarks>
/// Size and time alone would miss a file that was restored or copied with its time. A file of up to 128 KiB is its own
/// sample; of a larger one, a change that touches none of the sampled blocks and keeps size and time is not noticed.
/// </remarks>
sealed class FileHashes
{
    const int SampledBlocks = 32;
    const int BlockBytes = 1 << 12;

    readonly string _store;
    readonly Dictionary<string, string> _known;
    readonly Dictionary<string, FileVersion> _pinned;
    bool _hasNew;

    /// <summary>Hashes as an earlier command remembers them.</summary>
    /// <param name="store">File they are remembered in.</param>
    public FileHashes(string store)
        : this(store, Load(store), []) { }

    FileHashes(string store, Dictionary<string, string> known, Dictionary<string, FileVersion> pinned) =>
        (_store, _known, _pinned) = (store, known, pinned);

    /// <summary>The same hashes of the same command, remembered in another file.</summary>
    public FileHashes StoreIn(string store) => new(store, _known, _pinned) { _hasNew = true };

    /// <summary>
    /// The hash of a file in lower-case hexadecimal digits: always that of the first look, or of the version that was
    /// read before it (<see cref="ReadUnchanged"/>). What is made from a file that changes meanwhile is made from that.
    /// </summary>
    /// <exception cref="RunException">The file is not what was read of it.</exception>
    public string ComputeHash(string path)
    {
        var full = Path.GetFullPath(path);
        if (_pinned.GetValueOrDefault(full) is { Hash: { } pinned })
        {
            return pinned;
        }

        using var stream = Open(full);
        var key = GetKey(full, stream);
        RequireSame(full, key);
        if (!_known.TryGetValue(key, out var hash))
        {
            stream.Position = 0;
            hash = StableHash.Sha256Hex(stream);
            _known[key] = hash;
            _hasNew = true;
        }

        _pinned[full] = new(key, hash);
        return hash;
    }

    /// <summary>Reads files; from then on their hashes are those of what was read.</summary>
    /// <exception cref="RunException">A file changed while it was read, or since its hash was computed.</exception>
    public T ReadUnchanged<T>(IEnumerable<string> files, Func<T> read)
    {
        List<string> paths = [.. files.Select(Path.GetFullPath).Where(File.Exists)];
        foreach (var path in paths)
        {
            PinVersion(path);
        }

        var value = read();
        foreach (var path in paths)
        {
            PinVersion(path);
        }

        return value;
    }

    /// <summary>Files of a folder that was moved are the same at their new place.</summary>
    public void Follow(string from, string to)
    {
        foreach (var (path, version) in _pinned.ToList())
        {
            var relative = Path.GetRelativePath(from, path);
            if (!Path.IsPathRooted(relative) && !relative.StartsWith("..", StringComparison.Ordinal))
            {
                _pinned.Remove(path);
                var moved = Path.GetFullPath(Path.Combine(to, relative));
                using var stream = Open(moved);
                _pinned[moved] = version with { Key = GetKey(moved, stream) };
            }
        }
    }

    /// <summary>Removes files from a store whose path has one of some names in it.</summary>
    public static void Remove(string store, IReadOnlySet<string> names)
    {
        var known = Load(store);
        var remaining = known
            .Where(file => !file.Key.Split('|')[0].Split(Path.DirectorySeparatorChar).Any(names.Contains))
            .ToDictionary();
        if (remaining.Count < known.Count)
        {
            AtomicFile.WriteText(store, JsonSerializer.Serialize(remaining));
        }
    }

    void PinVersion(string path)
    {
        using var stream = Open(path);
        var key = GetKey(path, stream);
        RequireSame(path, key);
        _pinned.TryAdd(path, new(key, Hash: null));
    }

    void RequireSame(string path, string key)
    {
        if (_pinned.TryGetValue(path, out var version) && version.Key != key)
        {
            throw new RunException($"{path} changed while the command was at work: run the command again");
        }
    }

    static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);

    /// <summary>By what a version of a file is known.</summary>
    static string GetKey(string path, FileStream stream)
    {
        var file = new FileInfo(path);
        return $"{file.FullName}|{file.Length}|{file.LastWriteTimeUtc.Ticks}|{HashSample(stream)}";
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

        AtomicFile.WriteText(_store, JsonSerializer.Serialize(_known));
        _hasNew = false;
    }

    /// <summary>The hash of a sample of a file's content.</summary>
    public static string HashSample(string path)
    {
        using var stream = Open(path);
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

    /// <summary>A version of a file that counts for what is made from it.</summary>
    /// <param name="Key">By what it is known.</param>
    /// <param name="Hash">Its hash; null where nobody has asked for it.</param>
    readonly record struct FileVersion(string Key, string? Hash);
}
