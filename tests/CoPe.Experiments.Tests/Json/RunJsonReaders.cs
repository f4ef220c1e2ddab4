using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Blocks;
using CoPe.Experiments.Runs.Personal;
using CoPe.Experiments.Runs.Pretraining;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Runs.Stages;

namespace CoPe.Experiments.Tests.Json;

/// <summary>What reads the files of a run.</summary>
static class RunJsonReaders
{
    const string Marker =
        """{"stage": "train tam", "inputs": {"recipe seed": "1"}, "hash": "ab", "outputs": {"a": 1}, """
        + """ "started": "2026-01-01T00:00:00+00:00", "seconds": 1.5}""";

    public static IEnumerable<JsonReader> All()
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
            ["CoPe.Experiments/Runs/RunPlan.cs"],
            "plan.json",
            """{"instructions": "avx2", "vector_bits": 256, "rows_per_pass": 64}""",
            error,
            folder => RunPlan.Read(new(folder))
        )
        {
            Tolerates = [JsonDamage.NullElement],
        };
        yield return new(
            ["CoPe.Experiments/Runs/Blocks/SignOfLife.cs"],
            "at-work.json",
            """{"host": "n", "process": 7, "started": "2026-12-01T10:00:00Z", "written": "2026-12-01T10:00:00Z"}""",
            null,
            folder => SignOfLife.Read(new(folder))
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
            folder => _ = ScoresFile.Enumerate(new(folder)).Count()
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

    static string JournalPath(RunDirectory run)
    {
        Directory.CreateDirectory(run.Replaced.Root);
        return ReplacementJournal.GetPath(run);
    }
}
