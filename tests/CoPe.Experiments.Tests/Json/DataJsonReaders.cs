using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Building;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Json;

/// <summary>What reads users' data.</summary>
static class DataJsonReaders
{
    const string User =
        """{"user_id": 7, "profile": [{"id": 1, "text": "old text", "title": "Old"}], """
        + """ "query": [{"id": 3, "input": "Generate it"}]}""";

    /// <summary>Harmless in a field of an item that no template names.</summary>
    static readonly JsonDamage[] InFieldsOfUsers = [JsonDamage.DeepNesting, JsonDamage.Utf16, JsonDamage.HugeNumber];

    /// <summary>Harmless where any value is taken for its text.</summary>
    static readonly JsonDamage[] InTextsOnly = [.. InFieldsOfUsers, JsonDamage.NotANumber, JsonDamage.NullMember];

    public static IEnumerable<JsonReader> All()
    {
        var error = typeof(DataFileException);
        string[] stream = ["CoPe.Experiments/Data/JsonTokenStream.cs"];
        yield return new(stream, $"news_headline/{LampFiles.UsersFile}", $"[{User}]", error, ReadUsers)
        {
            Tolerates = InFieldsOfUsers,
        };
        yield return new(
            stream,
            $"news_headline/{LampFiles.LabelsFile}",
            """{"golds": [{"id": 3, "output": "a"}], "task": "LaMP_4"}""",
            error,
            ReadUsers
        )
        {
            Beside = new Dictionary<string, string> { [$"news_headline/{LampFiles.UsersFile}"] = $"[{User}]" },
            Tolerates = InFieldsOfUsers,
        };
        yield return new(
            ["CoPe.Experiments/Data/Importing/FlatJsonReader.cs"],
            "texts.json",
            """[{"user": 1, "text": "a"}]""",
            error,
            folder => Import(Path.Combine(folder, "texts.json"))
        )
        {
            Tolerates = InTextsOnly,
        };
        yield return new(
            ["CoPe.Experiments/Data/Importing/FlatJsonReader.cs"],
            "texts.jsonl",
            """{"user": 1, "text": "a"}""" + "\n",
            error,
            folder => Import(Path.Combine(folder, "texts.jsonl"))
        )
        {
            Tolerates = [.. InTextsOnly, JsonDamage.NullElement],
        };
        yield return new(
            ["CoPe.Experiments/Data/Building/IExampleFile.cs"],
            "questions.json",
            """[{"id": 1, "input": "a", "profile": [{"id": 2, "text": "b"}]}]""",
            error,
            folder => ReadExamples(Path.Combine(folder, "questions.json"))
        )
        {
            Tolerates = InTextsOnly,
        };
        yield return new(
            ["CoPe.Experiments/Negatives/ImportedNegatives.cs"],
            "user_top_100_history_with_pseudo_negatives.json",
            """[{"user_id": 7, "profile": [{"id": 1, "pseudo_negative": ["a", "b"]}]}]""",
            error,
            folder => ImportedNegatives.Read(Path.Combine(folder, "user_top_100_history_with_pseudo_negatives.json"))
        )
        {
            Tolerates = [JsonDamage.DeepNesting, JsonDamage.LoneSurrogate, JsonDamage.Utf16, JsonDamage.HugeNumber],
        };
    }

    static void ReadUsers(string folder) =>
        LampFiles.Read(folder, LampTasks.NewsHeadline, new() { MaxOthers = 0, RequireGolds = false });

    /// <summary>The rows of a source; the first that is reported as faulty is the error.</summary>
    static void Import(string path) => _ = ImportSource.Read(path, new(error => throw error, new())).Count();

    static void ReadExamples(string path)
    {
        using var file = PublishedExampleReader.Open(path);
        _ = file.ReadExamples(error => throw error).Count();
    }
}
