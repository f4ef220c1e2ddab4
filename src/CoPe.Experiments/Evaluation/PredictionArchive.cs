using System.IO.Compression;
using CoPe.Experiments.Data;

namespace CoPe.Experiments.Evaluation;

/// <summary>A zip of prediction or label files, one per task, as LaMP accepts and publishes them.</summary>
public static class PredictionArchive
{
    /// <summary>Most bytes of all JSON in a zip once it is unpacked: some two hundred thousand long answers.</summary>
    const long MaxUnpackedBytes = 256 << 20;

    /// <summary>Reads every JSON file in a zip, in any folder; each names its task.</summary>
    /// <param name="path">The zip.</param>
    /// <exception cref="InvalidDataException">
    /// It is no zip, has no JSON file, or two for one task, or a file is not of the form, or it is packed so that it
    /// would not fit into memory.
    /// </exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IReadOnlyList<PredictionFile> Read(string path) => Read(path, MaxUnpackedBytes);

    /// <summary>The same with another limit on what is unpacked.</summary>
    internal static IReadOnlyList<PredictionFile> Read(string path, long maxBytes)
    {
        var limit = new UnpackedLimit(
            maxBytes,
            what => new InvalidDataException(
                $"{path} {what} of JSON, more than the answers of a benchmark have. "
                    + "Unpack it and name the files themselves, if they are what they should be."
            )
        );
        using var zip = Name(path, () => ZipFile.OpenRead(path));
        var files = Name(path, () => zip.Entries.Where(IsJson).ToList())
            .OrderBy(entry => entry.FullName, StringComparer.Ordinal)
            .Select(entry => Read(path, entry, limit))
            .ToList();
        if (files.Count == 0)
        {
            throw new InvalidDataException(
                $"{path} holds no .json file. Expected one per task, with 'task' and 'golds'."
            );
        }

        var duplicates = files
            .CountBy(file => file.Task!)
            .Where(pair => pair.Value > 1)
            .Select(pair => pair.Key)
            .ToList();
        if (duplicates.Count > 0)
        {
            throw new InvalidDataException(
                $"{path} holds more than one file of {IdList.Format(duplicates, "task")}. Keep one each."
            );
        }

        return files;
    }

    /// <summary>Writes a zip with one file per task, <c>TASK.json</c>, whole or not at all.</summary>
    /// <param name="files">The files, tasks unique.</param>
    /// <param name="path">The zip; its folder is created where it is missing.</param>
    /// <exception cref="InvalidDataException">A task's name is none of a file; nothing is written.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(IEnumerable<PredictionFile> files, string path)
    {
        var all = files.ToList();
        if (all.Find(file => file.Task is null || !FileName.IsPlain(file.Task)) is { } unnamed)
        {
            throw new InvalidDataException(
                MessageText.ToOneLine(
                    $"{path}: the answers are of a task called '{unnamed.Task}', which is also the name of their file "
                        + $"in a zip; expected {FileName.Expected}. "
                        + "Correct 'benchmark' in the task file, or 'task' in the answers."
                )
            );
        }

        AtomicFile.Write(
            path,
            stream =>
            {
                using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
                foreach (var file in all)
                {
                    using var entry = zip.CreateEntry($"{file.Task}.json").Open();
                    file.Write(entry);
                }
            }
        );
    }

    static PredictionFile Read(string path, ZipArchiveEntry entry, UnpackedLimit limit)
    {
        var name = MessageText.ToOneLine($"{path}: {entry.FullName}");
        using var text = Unpack(entry, name, limit);
        var file = PredictionFile.Read(text, name);
        return file.Task is not null
            ? file
            : throw new InvalidDataException(
                MessageText.ToOneLine(
                    $"{name} names no task. Each file in a zip needs one: "
                        + "{\"task\": ..., \"golds\": [{\"id\": ..., \"output\": ...}]}."
                )
            );
    }

    static MemoryStream Unpack(ZipArchiveEntry entry, string name, UnpackedLimit limit)
    {
        using var packed = Name(name, entry.Open);
        var unpacked = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (var count = ReadPart(); count > 0; count = ReadPart())
        {
            limit.Take(count);
            unpacked.Write(buffer, 0, count);
        }

        unpacked.Position = 0;
        return unpacked;

        int ReadPart() => Name(name, () => packed.Read(buffer));
    }

    /// <summary>What a part of a zip gives; where it is damaged or encrypted, the error names it.</summary>
    static T Name<T>(string name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is InvalidDataException or NotSupportedException)
        {
            throw new InvalidDataException(
                MessageText.ToOneLine(
                    $"{name} cannot be unpacked ({error.Message}): pack it again, or name the files themselves"
                ),
                error
            );
        }
    }

    static bool IsJson(ZipArchiveEntry entry) =>
        entry.FullName.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
        && !entry.FullName.StartsWith("__MACOSX", StringComparison.Ordinal);
}
