using System.IO.Compression;
using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Tests.Json;

/// <summary>What reads answers and results.</summary>
static class EvaluationJsonReaders
{
    public static IEnumerable<JsonReader> All()
    {
        string[] predictions = ["CoPe.Experiments/Evaluation/PredictionJson.cs"];
        var invalid = typeof(InvalidDataException);
        yield return new(
            predictions,
            "predictions.json",
            """{"task": "LaMP_4", "golds": [{"id": 3, "output": "a"}]}""",
            invalid,
            folder => PredictionFile.Read(Path.Combine(folder, "predictions.json"))
        )
        {
            Tolerates = [JsonDamage.Utf16],
        };
        yield return new(
            predictions,
            "predictions.jsonl",
            """{"id": "3", "output": "a"}""" + "\n" + """{"id": "4", "output": "b"}""" + "\n",
            invalid,
            folder => PredictionFile.Read(Path.Combine(folder, "predictions.jsonl"))
        )
        {
            Tolerates = [JsonDamage.Utf16, JsonDamage.NotANumber, JsonDamage.HugeNumber, JsonDamage.NullElement],
        };
        yield return new(
            predictions,
            "answers.zip",
            """{"task": "LaMP_4", "golds": [{"id": 3, "output": "a"}]}""",
            invalid,
            folder => PredictionArchive.Read(Path.Combine(folder, "answers.zip"))
        )
        {
            Tolerates = [JsonDamage.Utf16],
            Write = (path, content) =>
            {
                using var zip = new ZipArchive(File.Create(path), ZipArchiveMode.Create);
                using var entry = zip.CreateEntry("answers.json").Open();
                entry.Write(content);
            },
        };
        yield return new(
            ["CoPe.Experiments/Evaluation/ResultsFile.cs"],
            "results.json",
            """{"cope": {"rouge-1": {"mean": 0.5, "se": 0.1, "n": 5, "users": {"mean": 0.5, "se": 0.1, "n": 5}}}}""",
            invalid,
            folder => ResultsFile.ReadJson(Path.Combine(folder, "results.json"))
        );
    }
}
