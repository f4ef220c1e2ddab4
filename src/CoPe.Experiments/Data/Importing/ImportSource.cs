using System.Text;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>Rows of a CSV file, a JSON or JSON lines file, or a folder of text files.</summary>
static class ImportSource
{
    /// <summary>Columns that a folder of texts has.</summary>
    public const string FolderColumn = "folder",
        HeadingColumn = "heading",
        BodyColumn = "body",
        TextColumn = "text",
        DateColumn = "date",
        FileColumn = "file";

    /// <summary>The rows in their order; what cannot be read is reported and passed over.</summary>
    /// <exception cref="DataFileException">The source is not there, empty, or no text.</exception>
    public static IEnumerable<ImportRow> Read(string path, ImportListener watch)
    {
        if (Directory.Exists(path))
        {
            return TextFolder.ReadRows(path, watch);
        }

        var place = new DataFileLocation { File = path };
        if (!File.Exists(path))
        {
            throw new DataFileException(
                place,
                "no such file or folder",
                "a CSV, JSON lines or JSON file, or a folder of texts",
                "Check the path."
            );
        }

        if (new FileInfo(path).Length == 0)
        {
            throw new DataFileException(place, "an empty file", "rows", "Check where the file comes from.");
        }

        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".csv" or ".tsv" => RefuseInvalidEncoding(path, ReadCsv(path, watch)),
            ".jsonl" or ".ndjson" => RefuseInvalidEncoding(path, ReadJsonLines(path, watch)),
            ".json" => FlatJsonReader.ReadRows(path, watch),
            var other => throw new DataFileException(
                place,
                FileSignature.Describe(path)
                    ?? (other.Length == 0 ? "a file without an ending in its name" : $"a file of kind '{other}'"),
                ".csv, .tsv, .jsonl, .ndjson, .json or a folder of .txt and .md files",
                "Rename or convert it."
            ),
        };
    }

    /// <summary>Whether every row of the source has the same columns.</summary>
    public static bool HasFixedColumns(string path) =>
        Directory.Exists(path) || Path.GetExtension(path).ToLowerInvariant() is ".csv" or ".tsv";

    static IEnumerable<ImportRow> ReadCsv(string path, ImportListener watch)
    {
        using var text = TextFile.Open(path);
        List<string>? header = null;
        foreach (var row in new CsvReader(text, path).ReadRows())
        {
            var place = new DataFileLocation { File = path, Line = row.Line };
            if (header is null)
            {
                header = Header(row, place);
            }
            else if (row.Fields.Count != header.Count)
            {
                watch.OnProblem(
                    new(
                        place,
                        $"{row.Fields.Count} fields",
                        $"{header.Count} as in the header",
                        "The row is left out: quote fields that hold separators or line breaks."
                    )
                );
            }
            else
            {
                yield return new(
                    place,
                    header
                        .Zip(row.Fields)
                        .Where(pair => pair.First.Length > 0)
                        .ToDictionary(pair => pair.First, pair => (string?)pair.Second)
                );
            }

            watch.Progress.ReportRead(ImportListener.StageName, path, text.BaseStream.Position, text.BaseStream.Length);
        }
    }

    /// <summary>
    /// The names of the columns; an empty one, as spreadsheets write for columns without a name, is a column that is
    /// passed over.
    /// </summary>
    static List<string> Header(CsvRow row, DataFileLocation place)
    {
        var names = row.Fields.Select(name => name.Trim()).ToList();
        if (names.All(name => name.Length == 0))
        {
            throw new DataFileException(
                place,
                "a header without a name",
                "the names of the columns",
                "Put them in the first line."
            );
        }

        return
            names.Where(name => name.Length > 0).GroupBy(name => name).FirstOrDefault(group => group.Count() > 1)
                is not { } twice
            ? names
            : throw new DataFileException(
                place,
                $"the column \"{twice.Key}\" twice",
                "columns with names of their own",
                "Rename one."
            );
    }

    static IEnumerable<ImportRow> ReadJsonLines(string path, ImportListener watch)
    {
        using var text = TextFile.Open(path);
        for (var number = 1; text.ReadLine() is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }

            var place = new DataFileLocation { File = path, Line = number };
            if (FlatJsonReader.ParseFields(line, place, watch.OnProblem) is { } fields)
            {
                yield return new(place, fields);
            }

            watch.Progress.ReportRead(ImportListener.StageName, path, text.BaseStream.Position, text.BaseStream.Length);
        }
    }

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

/// <summary>A text of somebody's, as a source holds it.</summary>
/// <param name="Location">Where it stands.</param>
/// <param name="Fields">Its columns by name; null where a JSON file says null.</param>
sealed record ImportRow(DataFileLocation Location, IReadOnlyDictionary<string, string?> Fields);

/// <summary>Who is told while a source is read.</summary>
/// <param name="OnProblem">Told of everything that is left out or changed.</param>
/// <param name="Progress">Told how far reading is.</param>
sealed record ImportListener(Action<DataFileException> OnProblem, DataProgress Progress)
{
    /// <summary>The stage that reads.</summary>
    public const string StageName = "read";
}
