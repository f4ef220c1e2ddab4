using System.IO.Compression;

namespace CoPe.Experiments.Evaluation;

/// <summary>A zip of prediction or label files, one per task, as LaMP accepts and publishes them.</summary>
public static class PredictionArchive
{
    /// <summary>Reads every JSON file in a zip, in any folder; each names its task.</summary>
    /// <param name="path">The zip.</param>
    /// <exception cref="InvalidDataException">
    /// It is no zip, has no JSON file, or two for one task, or a file is not of the form.
    /// </exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IReadOnlyList<PredictionFile> Read(string path)
    {
        using var zip = ZipFile.OpenRead(path);
        var files = zip
            .Entries.Where(IsJson)
            .OrderBy(entry => entry.FullName, StringComparer.Ordinal)
            .Select(entry => Read(path, entry))
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
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(IEnumerable<PredictionFile> files, string path) =>
        AtomicFile.Write(
            path,
            stream =>
            {
                using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
                foreach (var file in files)
                {
                    using var entry = zip.CreateEntry($"{file.Task}.json").Open();
                    file.Write(entry);
                }
            }
        );

    static PredictionFile Read(string path, ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        var name = $"{path}: {entry.FullName}";
        var file = PredictionFile.Read(stream, name);
        return file.Task is not null
            ? file
            : throw new InvalidDataException(
                $"{name} names no task. Each file in a zip needs one: "
                    + "{\"task\": ..., \"golds\": [{\"id\": ..., \"output\": ...}]}."
            );
    }

    static bool IsJson(ZipArchiveEntry entry) =>
        entry.FullName.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
        && !entry.FullName.StartsWith("__MACOSX", StringComparison.Ordinal);
}
