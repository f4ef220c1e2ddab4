using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using CoPe.Json;

namespace CoPe.Training;

/// <summary>
/// Checkpoints as numbered folders <c>state-N</c> of one folder, each with <c>state.json</c>, <c>arrays.bin</c>
/// (float32, little-endian) and, last, <c>complete</c> with the hash of both. A checkpoint is written to a temporary
/// folder, flushed and renamed; the one before is removed after that.
/// </summary>
/// <param name="folder">The folder; created when needed.</param>
public sealed class FolderCheckpointStore(string folder) : ICheckpointStore
{
    const string Prefix = "state-";

    /// <inheritdoc/>
    public TrainingCheckpoint? Load()
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        foreach (var candidate in ListFolders().OrderByDescending(GetNumber))
        {
            if (IsComplete(candidate))
            {
                return Read(candidate);
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public void Save(TrainingCheckpoint checkpoint)
    {
        Directory.CreateDirectory(folder);
        var final = Path.Combine(folder, $"{Prefix}{ListFolders().Select(GetNumber).DefaultIfEmpty().Max() + 1}");
        var state = new StoredState(
            checkpoint.Fingerprint,
            checkpoint.Step,
            checkpoint.Users,
            [.. checkpoint.Arrays.Select(array => new StoredArray(array.Key, array.Value.Length))]
        );
        AtomicFile.WriteFolder(
            final,
            temporary =>
            {
                AtomicFile.WriteBytes(
                    Path.Combine(temporary, "state.json"),
                    JsonSerializer.SerializeToUtf8Bytes(state)
                );
                AtomicFile.Write(
                    Path.Combine(temporary, "arrays.bin"),
                    stream =>
                    {
                        foreach (var chunk in checkpoint.Arrays.Values.SelectMany(SplitIntoChunks))
                        {
                            stream.Write(MemoryMarshal.AsBytes(chunk.Span));
                        }
                    }
                );
                AtomicFile.WriteText(Path.Combine(temporary, "complete"), Hash(temporary));
            }
        );
        foreach (var other in ListFolders().Where(other => other != final))
        {
            AtomicFile.Remove(other);
        }
    }

    /// <inheritdoc/>
    public void Clear()
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        foreach (var entry in Directory.EnumerateDirectories(folder, Prefix + "*").ToArray())
        {
            AtomicFile.Remove(entry);
        }

        if (!Directory.EnumerateFileSystemEntries(folder).Any())
        {
            Directory.Delete(folder);
        }
    }

    string[] ListFolders() =>
        Directory.EnumerateDirectories(folder, Prefix + "*").Where(entry => GetNumber(entry) >= 0).ToArray();

    static long GetNumber(string path) =>
        long.TryParse(Path.GetFileName(path)[Prefix.Length..], out var number) ? number : -1;

    static bool IsComplete(string candidate)
    {
        var marker = Path.Combine(candidate, "complete");
        return File.Exists(marker)
            && File.Exists(Path.Combine(candidate, "state.json"))
            && File.Exists(Path.Combine(candidate, "arrays.bin"))
            && File.ReadAllText(marker) == Hash(candidate);
    }

    /// <exception cref="InvalidDataException">Its files are whole, but not those of a checkpoint.</exception>
    static TrainingCheckpoint Read(string candidate)
    {
        var state = ReadState(candidate);
        using var stream = File.OpenRead(Path.Combine(candidate, "arrays.bin"));
        CheckArrays(state.Arrays, stream.Length, candidate);
        var arrays = new Dictionary<string, float[]>();
        foreach (var stored in state.Arrays)
        {
            var values = new float[stored.Length];
            foreach (var chunk in SplitIntoChunks(values))
            {
                stream.ReadExactly(MemoryMarshal.AsBytes(chunk.Span));
            }

            arrays.Add(stored.Name, values);
        }
        return new()
        {
            Fingerprint = state.Fingerprint,
            Step = state.Step,
            Users = state.Users,
            Arrays = arrays,
            Source = candidate,
        };
    }

    static StoredState ReadState(string candidate)
    {
        var path = Path.Combine(candidate, "state.json");
        try
        {
            return StrictJson.DeserializeFile<StoredState>(path);
        }
        catch (InvalidJsonException error)
        {
            throw TrainingCheckpoint.CreateDamagedError(candidate, $"state.json: {error.Message}", error);
        }
    }

    /// <summary>Checks that the arrays of the state are those of arrays.bin before memory is taken for them.</summary>
    static void CheckArrays(IReadOnlyList<StoredArray> arrays, long bytes, string candidate)
    {
        if (arrays.FirstOrDefault(array => array.Length < 0) is { } broken)
        {
            throw TrainingCheckpoint.CreateDamagedError(
                candidate,
                $"state.json: array '{broken.Name}' has {broken.Length} numbers"
            );
        }

        if (arrays.CountBy(array => array.Name).FirstOrDefault(pair => pair.Value > 1).Key is { } twice)
        {
            throw TrainingCheckpoint.CreateDamagedError(candidate, $"state.json: array '{twice}' stands twice");
        }

        var expected = arrays.Sum(array => (long)array.Length) * sizeof(float);
        if (bytes != expected)
        {
            throw TrainingCheckpoint.CreateDamagedError(
                candidate,
                $"arrays.bin has {bytes:N0} bytes; state.json lists arrays of {expected:N0}"
            );
        }
    }

    static string Hash(string candidate)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        foreach (var name in (string[])["state.json", "arrays.bin"])
        {
            using var stream = File.OpenRead(Path.Combine(candidate, name));
            var read = stream.Read(buffer);
            while (read > 0)
            {
                hash.AppendData(buffer.AsSpan(0, read));
                read = stream.Read(buffer);
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>An array in chunks whose bytes a span can count.</summary>
    static IEnumerable<Memory<float>> SplitIntoChunks(float[] array)
    {
        const int ElementsPerChunk = 1 << 26;
        for (long from = 0; from < array.Length; from += ElementsPerChunk)
        {
            yield return array.AsMemory((int)from, (int)Math.Min(ElementsPerChunk, array.Length - from));
        }
    }

    sealed record StoredArray(string Name, int Length);

    sealed record StoredState(
        IReadOnlyDictionary<string, string> Fingerprint,
        long Step,
        string Users,
        IReadOnlyList<StoredArray> Arrays
    );
}
