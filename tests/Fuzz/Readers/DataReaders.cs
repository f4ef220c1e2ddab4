using System.Text.Json.Serialization;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Building;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Tasks;
using CoPe.Fuzz.Mutations;
using Parquet.Serialization;

namespace CoPe.Fuzz.Readers;

/// <summary>Files of the benchmarks.</summary>
static class DataReaders
{
    const string Users = """
        [{"user_id": 7, "user_name": "Ada", "profile": [{"id": 1, "text": "old text", "title": "Old", "date": "1999"},
          {"id": "2", "text": "new text", "title": "New"}],
          "query": [{"id": 3, "input": "Generate a headline: rain", "gold": "It Rains"}]},
         {"user_id": "b", "profile": [{"id": "x/1", "text": "Z\u00fcrich \ud83d\ude00", "title": "T"}],
          "query": [{"id": 4, "input": "again", "gold": "More Rain"}]}]
        """;

    const string Others = """
        [{"user_id": "o", "profile": [], "query": [{"id": "q", "input": "i", "gold": "g"}]}]
        """;

    const string Labels = """
        {"task": "LaMP_4", "golds": [{"id": "3", "output": "It Rains"}, {"id": 4, "output": "More Rain"}]}
        """;

    const string Published = """
        [{"id": "101", "input": "Generate a headline: rain", "output": "It Rains", "user_id": "7",
          "profile": [{"id": "1", "text": "old text", "title": "Old", "date": "2001-02-03"}]},
         {"id": 102, "input": "again", "profile": [{"text": "t", "title": null}, {"id": 3, "text": 4, "title": "u"}]}]
        """;

    const string Negatives = """
        [{"user_id": 7, "profile": [{"id": 1, "text": "old", "title": "Old", "pseudo_negative": ["a", "b"],
          "negative_response": "a", "score_differences": [0.5, -1e-3]},
          {"id": 2, "text": "new", "title": "New", "pseudo_negative": []}], "query": []}]
        """;

    public static IEnumerable<FuzzedReader> All =>
        [
            CreateDataset("lamp-users", LampFiles.UsersFile, Users),
            CreateDataset("lamp-others", LampFiles.OthersFile, Others),
            CreateDataset("lamp-labels", LampFiles.LabelsFile, Labels),
            new()
            {
                Name = "data-check",
                Format = InputFormat.Json,
                Covers = [],
                Seeds = _ => Bytes.OfAll(Users),
                Open = OpenCheck,
                Share = 1,
            },
            new()
            {
                Name = "published",
                Format = InputFormat.Json,
                Covers = [],
                Seeds = _ =>
                    Bytes.OfAll(
                        Published,
                        """
                        {"id": 1, "input": "x", "profile": [{"text": "t", "title": "u"}], "output": "y"}
                        {"id": 2, "input": "x", "profile": [], "name": "n"}
                        """
                    ),
                Open = scratch => input => ReadPublished(scratch.Write("published.json", input)),
                File = "published.json",
            },
            new()
            {
                Name = "parquet",
                Format = InputFormat.Binary,
                Covers = [],
                Seeds = _ => [CreateParquet()],
                Open = scratch => input => ReadPublished(scratch.Write("published.parquet", input)),
                File = "published.parquet",
                Share = 2,
            },
            new()
            {
                Name = "negatives",
                Format = InputFormat.Json,
                Covers = [],
                Seeds = _ => Bytes.OfAll(Negatives),
                Open = scratch => input => ImportedNegatives.Read(scratch.Write("negatives.json", input)),
                File = "negatives.json",
            },
        ];

    static FuzzedReader CreateDataset(string name, string file, string seed) =>
        new()
        {
            Name = name,
            Format = InputFormat.Json,
            Covers = ["LampFiles.Read"],
            Seeds = _ => Bytes.OfAll(seed),
            Open = scratch =>
            {
                var folder = WriteDataset(scratch, name);
                return input =>
                {
                    scratch.Write($"{name}/{LampTasks.NewsHeadline.Name}/{file}", input);
                    LampFiles.Read(folder, LampTasks.NewsHeadline);
                };
            },
        };

    /// <summary>A data folder of one task.</summary>
    static string WriteDataset(Scratch scratch, string name)
    {
        var task = $"{name}/{LampTasks.NewsHeadline.Name}";
        scratch.Write($"{task}/{LampFiles.UsersFile}", Users);
        scratch.Write($"{task}/{LampFiles.OthersFile}", Others);
        scratch.Write($"{task}/{LampFiles.LabelsFile}", Labels);
        return scratch.At(name);
    }

    static Action<byte[]> OpenCheck(Scratch scratch)
    {
        WriteDataset(scratch, "check");
        var folder = $"check/{LampTasks.NewsHeadline.Name}";
        var options = new CheckOptions
        {
            Definition = TaskFile.LoadShipped(LampTasks.NewsHeadline.Name),
            UsersFile = scratch.At($"{folder}/{LampFiles.UsersFile}"),
            OthersFile = scratch.At($"{folder}/{LampFiles.OthersFile}"),
            LabelsFile = scratch.At($"{folder}/{LampFiles.LabelsFile}"),
        };
        return input =>
        {
            scratch.Write($"{folder}/{LampFiles.UsersFile}", input);
            DataCheck.Run(options);
        };
    }

    static void ReadPublished(string path)
    {
        using var file = PublishedExampleReader.Open(path);
        foreach (var _ in new PublishedExampleReader(file, LampTasks.NewsHeadline, null, Problems.Check).ReadExamples())
        {
            // Reading is all.
        }
    }

    static byte[] CreateParquet()
    {
        ParquetExample[] rows =
        [
            new("101", "rain", "It Rains", "7", [new("1", "old text", "Old"), new("2", "new text", "New")]),
            new("102", "sun", "It Shines", "8", [new("3", "text", "Title")]),
        ];
        using var stream = new MemoryStream();
        ParquetSerializer.SerializeAsync(rows, stream).GetAwaiter().GetResult();
        return stream.ToArray();
    }

    /// <summary>A row as the hub's files have them.</summary>
    sealed record ParquetExample(
        [property: JsonPropertyName("id")] string Id,
        [property: JsonPropertyName("input")] string Input,
        [property: JsonPropertyName("output")] string Output,
        [property: JsonPropertyName("user_id")] string UserId,
        [property: JsonPropertyName("profile")] List<ParquetItem> Profile
    );

    /// <summary>A history item of a row.</summary>
    sealed record ParquetItem(
        [property: JsonPropertyName("id")] string Id,
        [property: JsonPropertyName("text")] string Text,
        [property: JsonPropertyName("title")] string Title
    );
}
