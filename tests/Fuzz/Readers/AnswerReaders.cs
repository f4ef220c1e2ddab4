using System.IO.Compression;
using System.Text;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Tasks;
using CoPe.Fuzz.Mutations;

namespace CoPe.Fuzz.Readers;

/// <summary>Predictions, golds, results, and what models write.</summary>
static class AnswerReaders
{
    const string Predictions = """
        {"task": "LaMP_4", "golds": [{"id": "3", "output": "It Rains"},
         {"id": 4, "output": "Z\u00fcrich \ud83d\ude00"}], "model": "cope"}
        """;

    const string Lines = """
        {"id": "3", "output": "It Rains"}
        {"id": 4, "output": "More Rain"}
        """;

    const string Results = """
        {"cope": {"rouge-1": {"mean": 0.5, "se": 0.01, "n": 500, "users": {"mean": 0.4, "se": 0.1, "n": 9}},
          "rouge-l": {"mean": 0.25, "se": 0.02, "n": 500, "seed_sd": 0.01}},
         "base": {"rouge-1": {"mean": 0.125, "se": 0, "n": 500}}}
        """;

    static readonly GoldAnswer[] Golds =
    [
        new()
        {
            Id = "3",
            Text = "It rains in Zürich",
            UserId = "a",
        },
        new()
        {
            Id = "4",
            Text = "More rain",
            UserId = "b",
        },
    ];

    public static IEnumerable<FuzzedReader> All =>
        [
            new()
            {
                Name = "predictions",
                Format = InputFormat.Json,
                Covers = ["PredictionFile.Read"],
                Seeds = _ => Bytes.OfAll(Predictions, """[{"id": "3", "output": "It Rains"}]"""),
                Open = _ => ReadPredictions,
                AlsoThrows = [typeof(InvalidDataException)],
                File = "predictions.json",
                Share = 16,
            },
            new()
            {
                Name = "prediction-lines",
                Format = InputFormat.JsonLines,
                Covers = ["PredictionFile.Read"],
                Seeds = _ => Bytes.OfAll(Lines),
                Open = scratch => input => PredictionFile.Read(scratch.Write("predictions.json", input)),
                AlsoThrows = [typeof(InvalidDataException)],
                File = "predictions.json",
            },
            new()
            {
                Name = "prediction-zip",
                Format = InputFormat.Binary,
                Covers = ["PredictionArchive.Read"],
                Seeds = _ => [CreateZip(Predictions)],
                Open = scratch => input => PredictionArchive.Read(scratch.Write("predictions.zip", input)),
                AlsoThrows = [typeof(InvalidDataException)],
                File = "predictions.zip",
            },
            new()
            {
                Name = "results",
                Format = InputFormat.Json,
                Covers = ["ResultsFile.ReadJson"],
                Seeds = _ => Bytes.OfAll(Results),
                Open = scratch => input => ResultsFile.ReadJson(scratch.Write("results.json", input)),
                AlsoThrows = [typeof(InvalidDataException)],
                File = "results.json",
            },
            new()
            {
                Name = "answers",
                Format = InputFormat.Text,
                Covers = ["RatingMetrics.Parse"],
                Seeds = _ =>
                    Bytes.OfAll(
                        "<think>\nhm\n</think>\n\nTitle: \"It Rains.\"\nmore",
                        "4.5",
                        "Rating: 3 of 5",
                        "Mr. Smith went. He didn't say \u201Cno\u201D\u2026 running runner\u2019s \u4F60\u597D"
                    ),
                Open = _ => ReadAnswer,
                Share = 4,
            },
        ];

    static void ReadPredictions(byte[] input)
    {
        using var stream = new MemoryStream(input);
        PredictionFile.Read(stream, "predictions.json");
    }

    static void ReadAnswer(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        foreach (var task in LampTasks.All)
        {
            AnswerExtractor.Extract(text, task);
        }

        RatingMetrics.Parse(text);
        var predictions = new OrderedDictionary<string, PredictionFile>
        {
            ["cope"] = new() { Task = null, Predictions = [new("3", text), new("4", "More rain")] },
        };
        Evaluator.Evaluate(LampTasks.NewsHeadline, Golds, predictions);
    }

    static byte[] CreateZip(string content)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = zip.CreateEntry("LaMP_4.json").Open();
            entry.Write(Bytes.Of(content));
        }

        return stream.ToArray();
    }
}
