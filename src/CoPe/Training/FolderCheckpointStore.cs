using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

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

    static TrainingCheckpoint Read(string candidate)
    {
        var state =
            JsonSerializer.Deserialize<StoredState>(File.ReadAllBytes(Path.Combine(candidate, "state.json")))
            ?? throw new InvalidDataException(
                $"{candidate}/state.json holds null; expected a checkpoint's state. Remove the folder to start over."
            );
        using var stream = File.OpenRead(Path.Combine(candidate, "arrays.bin"));
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
        };
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
