using System.Text;
using System.Text.Json;

namespace CoPe.Data.Importing;

/// <summary>Rows of a CSV file, a JSON or JSON lines file, or a folder of text files.</summary>
static class ImportSource
{
    /// <summary>Columns that a folder of texts has.</summary>
    public const string Folder = "folder", Heading = "heading", Body = "body", Text = "text", Written = "date", FileName = "file";

    /// <summary>The rows in their order; what cannot be read is reported and passed over.</summary>
    /// <exception cref="DataFileException">The source is not there, empty, or no text.</exception>
    public static IEnumerable<ImportRow> Read(string path, ImportWatch watch)
    {
        if (Directory.Exists(path)) return TextFolder.Rows(path, watch);
        var place = new DataFilePlace { File = path };
        if (!File.Exists(path)) throw new DataFileException(place, "no such file or folder", "a CSV, JSON lines or JSON file, or a folder of texts", "Check the path.");
        if (new FileInfo(path).Length == 0) throw new DataFileException(place, "an empty file", "rows", "Check where the file comes from.");
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".csv" or ".tsv" => Decoded(path, Csv(path, watch)),
            ".jsonl" or ".ndjson" => Decoded(path, Lines(path, watch)),
            ".json" => FlatJson.Rows(path, watch),
            var other => throw new DataFileException(place, PackedFile.Kind(path) ?? (other.Length == 0 ? "a file without an ending in its name" : $"a file of kind '{other}'"), ".csv, .tsv, .jsonl, .ndjson, .json or a folder of .txt and .md files", "Rename or convert it."),
        };
    }

    /// <summary>Whether every row of the source has the same columns.</summary>
    public static bool IsTable(string path) => Directory.Exists(path) || Path.GetExtension(path).ToLowerInvariant() is ".csv" or ".tsv";

    static IEnumerable<ImportRow> Csv(string path, ImportWatch watch)
    {
        using var text = TextSource.Open(path);
        List<string>? header = null;
        foreach (var row in new CsvReader(text, path).Rows())
        {
            var place = new DataFilePlace { File = path, Line = row.Line };
            if (header is null) header = Header(row, place);
            else if (row.Fields.Count != header.Count)
                watch.Problem(new(place, $"{row.Fields.Count} fields", $"{header.Count} as in the header", "The row is left out: quote fields that hold separators or line breaks."));
            else yield return new(place, header.Zip(row.Fields).Where(pair => pair.First.Length > 0).ToDictionary(pair => pair.First, pair => (string?)pair.Second));
            watch.Progress.Read(ImportWatch.Stage, path, text.BaseStream.Position, text.BaseStream.Length);
        }
    }

    /// <summary>The names of the columns; an empty one, as spreadsheets write for columns without a name, is a column that is passed over.</summary>
    static List<string> Header(CsvRow row, DataFilePlace place)
    {
        var names = row.Fields.Select(name => name.Trim()).ToList();
        if (names.All(name => name.Length == 0)) throw new DataFileException(place, "a header without a name", "the names of the columns", "Put them in the first line.");
        return names.Where(name => name.Length > 0).GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is not { } twice ? names
            : throw new DataFileException(place, $"the column \"{twice.Key}\" twice", "columns with names of their own", "Rename one.");
    }

    static IEnumerable<ImportRow> Lines(string path, ImportWatch watch)
    {
        using var text = TextSource.Open(path);
        for (var number = 1; text.ReadLine() is { } line; number++)
        {
            if (string.IsNullOrWhiteSpace(line)) continue;
            var place = new DataFilePlace { File = path, Line = number };
            if (FlatJson.Fields(line, place, watch.Problem) is { } fields) yield return new(place, fields);
            watch.Progress.Read(ImportWatch.Stage, path, text.BaseStream.Position, text.BaseStream.Length);
        }
    }

    static IEnumerable<ImportRow> Decoded(string path, IEnumerable<ImportRow> rows)
    {
        using var reading = rows.GetEnumerator();
        while (true)
        {
            try
            {
                if (!reading.MoveNext()) yield break;
            }
            catch (DecoderFallbackException error)
            {
                throw TextSource.NoText(path, error);
            }

            yield return reading.Current;
        }
    }
}
