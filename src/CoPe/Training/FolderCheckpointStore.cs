using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;

namespace CoPe.Training;

/// <summary>
/// Checkpoints as numbered folders <c>state-N</c> of one folder, each with <c>state.json</c>, <c>arrays.bin</c>
/// (float32, little-endian) and, last, <c>complete</c> with the hash of both.
/// A checkpoint is written aside, flushed and renamed; the one before is removed after that.
/// </summary>
/// <param name="folder">Where; made when needed.</param>
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

        foreach (var candidate in Folders().OrderByDescending(NumberOf))
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
        var final = Path.Combine(folder, $"{Prefix}{Folders().Select(NumberOf).DefaultIfEmpty().Max() + 1}");
        var state = new StoredState(
            checkpoint.Fingerprint,
            checkpoint.Step,
            checkpoint.Users,
            [.. checkpoint.Arrays.Select(array => new StoredArray(array.Key, array.Value.Length))]
        );
        AtomicFile.WriteFolder(
            final,
            aside =>
            {
                AtomicFile.WriteBytes(Path.Combine(aside, "state.json"), JsonSerializer.SerializeToUtf8Bytes(state));
                AtomicFile.Write(
                    Path.Combine(aside, "arrays.bin"),
                    stream =>
                    {
                        foreach (var slice in checkpoint.Arrays.Values.SelectMany(Slices))
                        {
                            stream.Write(MemoryMarshal.AsBytes(slice.Span));
                        }
                    }
                );
                AtomicFile.WriteText(Path.Combine(aside, "complete"), Hash(aside));
            }
        );
        foreach (var other in Folders().Where(other => other != final))
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

    string[] Folders() =>
        Directory.EnumerateDirectories(folder, Prefix + "*").Where(entry => NumberOf(entry) >= 0).ToArray();

    static long NumberOf(string path) =>
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
                $"{candidate}/state.json holds null; expected a checkpoint's state. Remove the folder to start anew."
            );
        using var stream = File.OpenRead(Path.Combine(candidate, "arrays.bin"));
        var arrays = new Dictionary<string, float[]>();
        foreach (var stored in state.Arrays)
        {
            var values = new float[stored.Length];
            foreach (var slice in Slices(values))
            {
                stream.ReadExactly(MemoryMarshal.AsBytes(slice.Span));
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
            for (int read; (read = stream.Read(buffer)) > 0; )
            {
                hash.AppendData(buffer.AsSpan(0, read));
            }
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <summary>An array in pieces whose bytes a span can count.</summary>
    static IEnumerable<Memory<float>> Slices(float[] array)
    {
        const int Most = 1 << 26;
        for (long from = 0; from < array.Length; from += Most)
        {
            yield return array.AsMemory((int)from, (int)Math.Min(Most, array.Length - from));
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
