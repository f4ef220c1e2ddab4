using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Tasks;
using CoPe.Fuzz.Mutations;

namespace CoPe.Fuzz.Readers;

/// <summary>Texts that people bring: tables, JSON, folders of files.</summary>
static class ImportReaders
{
    const string Table = """"
        author,date,id,text,title
        ann,2021-03-04,1,"a text, of ""words""",Old
        bob,2020-06-05,2,"two
        lines",New
        ann,2021,3,Zürich 😀,Newer
        ann,2022-01-01T10:00:00Z,4,more words of text,Newest
        bob,2021-08-07,5,again,Again
        """";

    const string Lines = """
        {"author": "ann", "date": "2021-03-04", "id": 1, "text": "a text", "title": "Old"}
        {"author": "bob", "date": 2020, "id": "2", "text": "Z\u00fcrich \ud83d\ude00", "title": "New", "tags": [1]}
        {"author": "ann", "date": "2022-01-01T10:00:00Z", "id": 3.5, "text": "more", "title": "Newer"}
        {"author": "bob", "date": null, "id": 4, "text": "again", "title": true}
        """;

    static readonly string Array = $"[{Lines.ReplaceLineEndings(",").TrimEnd(',')}]";

    static readonly string Tabs = Table.Replace(',', '\t');

    public static IEnumerable<FuzzedReader> All =>
        [
            CreateRows("import-csv", "rows.csv", InputFormat.Table, Table, $"sep=;\n{Table.Replace(',', ';')}"),
            CreateRows("import-tsv", "rows.tsv", InputFormat.Table, Tabs),
            CreateRows("import-jsonl", "rows.jsonl", InputFormat.JsonLines, Lines),
            CreateRows("import-json", "rows.json", InputFormat.Json, Array),
            CreateImport("import-run-csv", "texts.csv", InputFormat.Table, Table),
            CreateImport("import-run-jsonl", "texts.jsonl", InputFormat.JsonLines, Lines),
            new()
            {
                Name = "text-folder",
                Format = InputFormat.Text,
                Covers = [],
                Seeds = _ =>
                    Bytes.OfAll("# A heading\n\nA text.\n", "Title: x\nDate: 2020-01-02\n\nThe text.", "---\n"),
                Open = scratch =>
                    input =>
                    {
                        scratch.Write("texts/ann/2021-03-04 one.md", input);
                        ReadRows(scratch.At("texts"));
                    },
            },
            CreateHistory("history-csv", "ann.csv", InputFormat.Table, Table),
            CreateHistory("history-json", "ann.json", InputFormat.Json, Array),
            CreateHistory("history-text", "ann.txt", InputFormat.Text, "A title\n\nA text.\n\n\nAnother.\n"),
            new()
            {
                Name = "id-key",
                Format = InputFormat.Text,
                Covers = [],
                Seeds = _ => Bytes.OfAll(new string('a', 64) + "\n"),
                Open = scratch => input => IdHasher.LoadOrCreate(scratch.Write("ids.key", input)).Hash("ann"),
                File = "ids.key",
            },
        ];

    static FuzzedReader CreateRows(string name, string file, InputFormat format, params string[] seeds) =>
        new()
        {
            Name = name,
            Format = format,
            Covers = [],
            Seeds = _ => Bytes.OfAll(seeds),
            Open = scratch => input => ReadRows(scratch.Write(file, input)),
            File = file,
        };

    static void ReadRows(string source)
    {
        foreach (var _ in ImportSource.Read(source, new(Problems.Check, new DataProgress())))
        {
            // Reading is all.
        }
    }

    /// <summary>A whole import: columns, dates, authors, the check of what is written.</summary>
    static FuzzedReader CreateImport(string name, string file, InputFormat format, string seed) =>
        new()
        {
            Name = name,
            Format = format,
            Covers = [],
            Seeds = _ => Bytes.OfAll(seed),
            Open = scratch =>
                input =>
                    DataImport.Run(
                        new()
                        {
                            Source = scratch.Write(file, input),
                            Target = scratch.At(name),
                            AuthorColumn = "author",
                            DateColumn = "date",
                            IdColumn = "id",
                            InputColumns = ["text"],
                            OutputColumn = "title",
                            Split = new() { TestUsers = 1, MinItems = 2 },
                        }
                    ),
            Share = 1,
        };

    static FuzzedReader CreateHistory(string name, string file, InputFormat format, string seed) =>
        new()
        {
            Name = name,
            Format = format,
            Covers = [],
            Seeds = _ => Bytes.OfAll(seed),
            Open = scratch =>
                input => UserHistory.Read(scratch.Write(file, input), LampTasks.NewsHeadline, null, Problems.Check),
        };
}
