using System.IO.Compression;
using CoPe.Adapters;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Building;
using CoPe.Experiments.Data.Importing;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Personal;
using CoPe.Experiments.Runs.Pretraining;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Tasks;
using CoPe.Modeling;
using CoPe.Tokens.Pipeline;
using CoPe.Training;

namespace CoPe.Experiments.Tests.Json;

/// <summary>Something that reads a file of JSON.</summary>
/// <param name="Sources">The source files that do it, below <c>src</c>.</param>
/// <param name="File">The file, within the folder of the test.</param>
/// <param name="Text">What it holds.</param>
/// <param name="Error">The exception for what it does not hold; null where such a file counts as none.</param>
/// <param name="Read">Reads it; the folder of the test is given.</param>
sealed record JsonReader(string[] Sources, string File, string Text, Type? Error, Action<string> Read)
{
    /// <summary>Damages that leave it what it should be, as what they touch is not read.</summary>
    public JsonDamage[] Tolerates { get; init; } = [];

    /// <summary>Files beside it, by name.</summary>
    public IReadOnlyDictionary<string, string> Beside { get; init; } = new Dictionary<string, string>();

    /// <summary>Writes the file; null writes the text as it is.</summary>
    public Action<string, byte[]>? Write { get; init; }

    public override string ToString() => File;

    /// <summary>Writes the file and those beside it into a folder.</summary>
    public void Prepare(string folder, byte[] content)
    {
        foreach (var (name, text) in Beside.Append(new(File, "")))
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            System.IO.File.WriteAllText(path, text);
        }

        var file = Path.Combine(folder, File);
        (Write ?? System.IO.File.WriteAllBytes)(file, content);
    }
}

/// <summary>Everything in the libraries that reads JSON from files.</summary>
static class JsonReaders
{
    const string Config =
        """{"hidden_size": 16, "model_type": "llama", "architectures": ["LlamaForCausalLM"], """
        + """ "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, """
        + """ "vocab_size": 32, "max_position_embeddings": 64, "torch_dtype": "float32", "eos_token_id": [1, 2]}""";

    const string User =
        """{"user_id": 7, "profile": [{"id": 1, "text": "old text", "title": "Old"}], """
        + """ "query": [{"id": 3, "input": "Generate it"}]}""";

    const string Marker =
        """{"stage": "train tam", "inputs": {"recipe seed": "1"}, "hash": "ab", "outputs": {"a": 1}, """
        + """ "started": "2026-01-01T00:00:00+00:00", "seconds": 1.5}""";

    public static IReadOnlyList<JsonReader> All { get; } = [.. Models(), .. Evaluations(), .. Runs(), .. Data()];

    static IEnumerable<JsonReader> Models()
    {
        string[] config = ["CoPe/Modeling/ConfigJson.cs"];
        var model = typeof(ModelFileException);
        yield return new(config, "config.json", Config, model, folder => DecoderConfig.Read(folder));
        yield return new(
            config,
            "generation_config.json",
            """{"eos_token_id": [1, 2]}""",
            model,
            folder => DecoderConfig.Read(folder)
        )
        {
            Beside = new Dictionary<string, string> { ["config.json"] = Config },
            Tolerates = [JsonDamage.NullMember],
        };
        yield return new(
            config,
            "adapter_config.json",
            """{"r": 4, "peft_type": "LORA", "lora_alpha": 8, "target_modules": ["q_proj"]}""",
            model,
            folder =>
            {
                var json = ConfigJson.Read(Path.Combine(folder, "adapter_config.json"));
                AdapterConfigFile.Read(json);
                _ = new AdapterTargets(json);
            }
        );
        yield return new(
            config,
            "model.safetensors.index.json",
            """{"weight_map": {"a": "model-1.safetensors"}, "metadata": {"total_size": 4}}""",
            model,
            folder => CheckpointIndex.ReadShardNames(Path.Combine(folder, "model.safetensors.index.json"))
        )
        {
            Tolerates = [JsonDamage.HugeNumber, JsonDamage.NullElement],
        };
        yield return new(
            ["CoPe/Modeling/Safetensors/SafetensorsFile.cs"],
            "model.safetensors",
            """{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "__metadata__": null}""",
            model,
            folder => SafetensorsHeaders.Read(folder)
        )
        {
            Write = (path, header) =>
                File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, 0, 0, 0, 0]),
        };
        string[] tokens = ["CoPe/Tokens/Pipeline/JsonPart.cs"];
        yield return new(
            tokens,
            "tokenizer.json",
            """{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}""",
            typeof(TokenizerException),
            folder => TokenizerFile.Read(Path.Combine(folder, "tokenizer.json"))
        );
        yield return new(
            tokens,
            "tokenizer_config.json",
            """{"bos_token": {"content": "<s>"}, "add_bos_token": true, "additional_special_tokens": ["<x>"]}""",
            typeof(TokenizerException),
            folder => TokenizerConfig.Read(folder)
        )
        {
            Tolerates = [JsonDamage.HugeNumber],
        };
        yield return new(
            ["CoPe/Training/FolderCheckpointStore.cs"],
            "state-1/state.json",
            """{"Fingerprint": {"options": "ab"}, "Step": 5, "Users": "u", "Arrays": [{"Name": "a", "Length": 2}]}""",
            typeof(InvalidDataException),
            folder => new FolderCheckpointStore(folder).Load()
        )
        {
            Write = CheckpointFiles.WriteWithValidHash,
        };
    }

    static IEnumerable<JsonReader> Evaluations()
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

    static IEnumerable<JsonReader> Runs()
    {
        var error = typeof(RunException);
        yield return new(
            ["CoPe.Experiments/Runs/Results/SignificanceFile.cs"],
            "significance.json",
            """[{"method": "cope", "baseline": "tam", "metric": "rouge-1", "difference": 0.5, "bootstrap_p": 0.5, """
                + """ "sign_p": 0.5, "unit": "users", "helped": 1, "hurt": 2, "equal": 3}]""",
            error,
            folder => SignificanceFile.Read(new(folder))
        );
        yield return new(
            ["CoPe.Experiments/Runs/Results/TrainingChoice.cs"],
            "choice.json",
            """{"learning_rate": 0.5, "epochs": 2, "texts": 3, "held_out": 4, "trials": []}""",
            error,
            folder => TrainingChoice.Read(new(folder))
        )
        {
            Tolerates = [JsonDamage.LoneSurrogate],
        };
        yield return new(
            ["CoPe.Experiments/Runs/Personal/PersonalChoice.cs"],
            "checkpoints/choose-rate.json",
            """{"Rate": true, "Epochs": false, "Length": true}""",
            error,
            folder => PersonalChoice.FindPending(new(folder))
        )
        {
            Tolerates = [JsonDamage.HugeNumber, JsonDamage.LoneSurrogate, JsonDamage.NullElement],
        };
        yield return new(
            ["CoPe.Experiments/Runs/Personal/TrialFile.cs"],
            "checkpoints/choice/trials.json",
            """{"Fingerprint": "f", "Trials": [{"LearningRate": 0.5, "Epochs": 2, "IsWhole": true, "Loss": 1}]}""",
            null,
            folder => new TrialFile(Path.Combine(folder, "checkpoints/choice/trials.json"), "f").Find(new(1, true, 1))
        );
        yield return new(
            ["CoPe.Experiments/Runs/RunReplacement.cs"],
            "replaced/journal.json",
            """{"command": "cope run", "entries": [{"path": "tam", "existed": true, "is_copied": false}]}""",
            error,
            folder =>
            {
                var run = new RunDirectory(folder);
                File.Move(Path.Combine(folder, "replaced/journal.json"), JournalPath(run), overwrite: true);
                ReplacementJournal.Read(run);
            }
        )
        {
            Tolerates = [JsonDamage.HugeNumber, JsonDamage.NullMember], // a journal may lack a command
        };
        yield return new(
            ["CoPe.Experiments/Runs/ForgottenUsers.cs"],
            "forgotten.json",
            """{"salt": "ab12", "users": ["cd34"], "admitted": []}""",
            error,
            folder => ForgottenUsers.Read(new(folder)).Contains("7")
        )
        {
            Tolerates = [JsonDamage.HugeNumber],
        };
        yield return new(
            ["CoPe.Experiments/Runs/FileHashes.cs"],
            "stages/file-hashes.json",
            """{"/a|5|6|ab": "cd"}""",
            null,
            folder => FileHashes.Load(Path.Combine(folder, "stages/file-hashes.json"))
        );
        yield return new(
            ["CoPe.Experiments/Runs/StageMarker.cs"],
            "stages/train-tam.json",
            Marker,
            null,
            folder => StageMarker.Read(Path.Combine(folder, "stages/train-tam.json"))?.FindChanges([])
        );
        yield return new(
            ["CoPe.Experiments/Runs/RunManifest.cs"],
            "manifest.json",
            """{"version": "1", "machine": "m", "runtime": "r", "processors": 2, "recipe": {"seed": "1"}, """
                + $$""" "files": {}, "stages": [{{Marker}}]}""",
            error,
            folder => RunManifest.Read(Path.Combine(folder, "manifest.json"))
        );
        yield return new(
            ["CoPe.Experiments/Runs/Stages/UserGroupPlan.cs"],
            "groups.json",
            """{"users_at_once": 2, "groups": [["1", "2"]]}""",
            null,
            folder => UserGroupPlan.SelectUsers(folder, [], _ => false)
        );
        yield return new(
            ["CoPe.Experiments/Runs/JsonLines.cs"],
            "negatives/candidates.jsonl",
            """{"user": "1", "item": "2", "candidates": ["a"]}""" + "\n",
            error,
            folder => JsonLines.Read<ItemCandidates>(new RunDirectory(folder).Candidates)
        )
        {
            Tolerates = [JsonDamage.Empty, JsonDamage.HugeNumber],
        };
        yield return new(
            ["CoPe.Experiments/Runs/JsonLines.cs"],
            "evaluation/scores.jsonl",
            """{"user": "1", "history_items": 2, "scores": {"cope": {"rouge-1": 0.5}}, "queries": []}""" + "\n",
            error,
            folder => ScoresFile.Read(new(folder))
        )
        {
            Tolerates = [JsonDamage.Empty],
        };
        yield return new(
            ["CoPe.Experiments/Runs/JsonLines.cs"],
            "instructions.jsonl",
            """{"prompt": "a", "answer": "b"}""" + "\n",
            error,
            folder => JsonLines.ReadAll<PretrainCorpus.Instruction>(Path.Combine(folder, "instructions.jsonl"))
        )
        {
            Tolerates = [JsonDamage.Empty, JsonDamage.HugeNumber, JsonDamage.NullElement],
        };
    }

    static IEnumerable<JsonReader> Data()
    {
        var error = typeof(DataFileException);
        string[] stream = ["CoPe.Experiments/Data/JsonTokenStream.cs"];
        yield return new(
            stream,
            $"news_headline/{LampFiles.UsersFile}",
            $"[{User}]",
            error,
            folder => LampFiles.Read(folder, LampTasks.NewsHeadline, new() { MaxOthers = 0, RequireGolds = false })
        )
        {
            Tolerates = [JsonDamage.DeepNesting, JsonDamage.Utf16, JsonDamage.HugeNumber],
        };
        yield return new(
            stream,
            $"news_headline/{LampFiles.LabelsFile}",
            """{"golds": [{"id": 3, "output": "a"}], "task": "LaMP_4"}""",
            error,
            folder => LampFiles.Read(folder, LampTasks.NewsHeadline, new() { MaxOthers = 0, RequireGolds = false })
        )
        {
            Beside = new Dictionary<string, string> { [$"news_headline/{LampFiles.UsersFile}"] = $"[{User}]" },
            Tolerates = [JsonDamage.DeepNesting, JsonDamage.Utf16, JsonDamage.HugeNumber],
        };
        yield return new(
            ["CoPe.Experiments/Data/Importing/FlatJsonReader.cs"],
            "texts.json",
            """[{"user": 1, "text": "a"}]""",
            error,
            folder => Import(Path.Combine(folder, "texts.json"))
        )
        {
            Tolerates =
            [
                JsonDamage.DeepNesting,
                JsonDamage.Utf16,
                JsonDamage.HugeNumber,
                JsonDamage.NotANumber,
                JsonDamage.NullMember,
            ],
        };
        yield return new(
            ["CoPe.Experiments/Data/Importing/FlatJsonReader.cs"],
            "texts.jsonl",
            """{"user": 1, "text": "a"}""" + "\n",
            error,
            folder => Import(Path.Combine(folder, "texts.jsonl"))
        )
        {
            Tolerates =
            [
                JsonDamage.DeepNesting,
                JsonDamage.Utf16,
                JsonDamage.HugeNumber,
                JsonDamage.NotANumber,
                JsonDamage.NullMember,
                JsonDamage.NullElement,
            ],
        };
        yield return new(
            ["CoPe.Experiments/Data/Building/IExampleFile.cs"],
            "questions.json",
            """[{"id": 1, "input": "a", "profile": [{"id": 2, "text": "b"}]}]""",
            error,
            folder => ReadExamples(Path.Combine(folder, "questions.json"))
        )
        {
            Tolerates =
            [
                JsonDamage.DeepNesting,
                JsonDamage.Utf16,
                JsonDamage.HugeNumber,
                JsonDamage.NotANumber,
                JsonDamage.NullMember,
            ],
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

    static string JournalPath(RunDirectory run)
    {
        Directory.CreateDirectory(run.Replaced.Root);
        return ReplacementJournal.GetPath(run);
    }

    /// <summary>The rows of a source; the first that is reported as faulty is the error.</summary>
    static void Import(string path) => _ = ImportSource.Read(path, new(error => throw error, new())).Count();

    static void ReadExamples(string path)
    {
        using var file = PublishedExampleReader.Open(path);
        _ = file.ReadExamples(error => throw error).Count();
    }
}
