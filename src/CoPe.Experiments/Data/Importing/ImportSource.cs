using System.Text;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>Rows of a CSV file, a JSON or JSON lines file, or a folder of text files.</summary>
static class ImportSource
{
    /// <summary>The rows in their order; one that cannot be read is reported and skipped.</summary>
    /// <exception cref="DataFileException">The source is not there, empty, or no text.</exception>
    public static IEnumerable<ImportRow> Read(string path, ImportListener listener)
    {
        if (Directory.Exists(path))
        {
            return TextFolder.ReadRows(path, listener);
        }

        var location = new DataFileLocation { File = path };
        if (!File.Exists(path))
        {
            throw new DataFileException(
                location,
                "no such file or folder",
                "a CSV, JSON lines or JSON file, or a folder of texts",
                "Check the path."
            );
        }

        if (new FileInfo(path).Length == 0)
        {
            throw new DataFileException(location, "an empty file", "rows", "Check where the file comes from.");
        }

        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".csv" or ".tsv" => RefuseInvalidEncoding(path, ReadCsv(path, listener)),
            ".jsonl" or ".ndjson" => RefuseInvalidEncoding(path, ReadJsonLines(path, listener)),
            ".json" => FlatJsonReader.ReadRows(path, listener),
            var extension => throw new DataFileException(
                location,
                FileSignature.Describe(path) ?? DescribeExtension(extension),
                ".csv, .tsv, .jsonl, .ndjson, .json or a folder of .txt and .md files",
                "Rename or convert it."
            ),
        };
    }

    static string DescribeExtension(string extension) =>
        extension.Length == 0 ? "a file without an ending in its name" : $"a file of kind '{extension}'";

    /// <summary>Whether every row of the source has the same columns.</summary>
    public static bool HasFixedColumns(string path) =>
        Directory.Exists(path) || Path.GetExtension(path).ToLowerInvariant() is ".csv" or ".tsv";

    static IEnumerable<ImportRow> ReadCsv(string path, ImportListener listener)
    {
        using var text = TextEncoding.OpenText(path);
        List<string>? header = null;
        foreach (var row in new CsvReader(text, path).ReadRows())
        {
            var location = new DataFileLocation { File = path, Line = row.Line };
            if (header is null)
            {
                header = ReadHeader(row, location);
            }
            else if (row.Fields.Count != header.Count)
            {
                listener.OnProblem(
                    new(
                        location,
                        $"{row.Fields.Count} fields",
                        $"{header.Count} as in the header",
                        "The row is left out: quote fields that hold separators or line breaks."
                    )
                );
            }
            else
            {
                var named = header.Zip(row.Fields).Where(pair => pair.First.Length > 0);
                yield return new(location, named.ToDictionary(pair => pair.First, pair => (string?)pair.Second));
            }

            listener.Progress.ReportRead(
                ImportListener.StageName,
                path,
                text.BaseStream.Position,
                text.BaseStream.Length
            );
        }
    }

    /// <summary>
    /// The names of the columns; an empty one, as spreadsheets write for columns without a name, marks a column that is
    /// skipped.
    /// </summary>
    static List<string> ReadHeader(CsvRow row, DataFileLocation location)
    {
        var names = row.Fields.Select(name => name.Trim()).ToList();
        if (names.All(name => name.Length == 0))
        {
            throw new DataFileException(
                location,
                "a header without a name",
                "the names of the columns",
                "Put them in the first line."
            );
        }

        var duplicate = names
            .Where(name => name.Length > 0)
            .GroupBy(name => name)
            .FirstOrDefault(same => same.Count() > 1);
        if (duplicate is null)
        {
            return names;
        }

        throw new DataFileException(
            location,
            $"the column \"{duplicate.Key}\" twice",
            "columns with names of their own",
            "Rename one."
        );
    }

    static IEnumerable<ImportRow> ReadJsonLines(string path, ImportListener listener)
    {
        using var text = TextEncoding.OpenText(path);
        for (var number = 1; text.ReadLine() is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            var location = new DataFileLocation { File = path, Line = number };
            if (FlatJsonReader.ParseFields(line, location, listener.OnProblem) is { } fields)
            {
                yield return new(location, fields);
            }

            listener.Progress.ReportRead(
                ImportListener.StageName,
                path,
                text.BaseStream.Position,
                text.BaseStream.Length
            );
        }
    }

    /// <summary>The rows, with an error that names the line of bytes that cannot be decoded.</summary>
    static IEnumerable<ImportRow> RefuseInvalidEncoding(string path, IEnumerable<ImportRow> rows)
    {
        using var reading = rows.GetEnumerator();
        while (true)
        {
            try
            {
                if (!reading.MoveNext())
                {
                    yield break;
                }
            }
            catch (DecoderFallbackException error)
            {
                throw TextFile.InvalidEncodingError(path, error);
            }

            yield return reading.Current;
        }
    }
}

/// <summary>A row of a source: a text with its author and whatever else the source says of it.</summary>
/// <param name="Location">Where it stands.</param>
/// <param name="Fields">Its columns by name; null where a JSON file says null.</param>
sealed record ImportRow(DataFileLocation Location, IReadOnlyDictionary<string, string?> Fields);

/// <summary>Callbacks while a source is read.</summary>
/// <param name="OnProblem">Called with everything that is left out or changed.</param>
/// <param name="Progress">Receives how far reading is.</param>
sealed record ImportListener(Action<DataFileException> OnProblem, DataProgress Progress)
{
    /// <summary>The stage that reads.</summary>
    public const string StageName = "read";
}
