using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Personal;
using CoPe.Experiments.Runs.Pretraining;
using CoPe.Experiments.Runs.Results;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Tasks;
using CoPe.Fuzz.Mutations;
using CoPe.Training;

namespace CoPe.Fuzz.Readers;

/// <summary>Single files of a run's folder, which people edit, copy, and get from others.</summary>
static class RunReaders
{
    public const string Marker = """
        {"stage": "train sft", "inputs": {"recipe sft.epochs": "2", "data user_others.json": "ab12",
         "model config.json": "cd", "task task.yaml": "ef", "stage train tam": "01", "forgotten users": ""},
         "hash": "abcd", "users": {"1": {"hash": "aa"}, "b/4": {"hash": "bb"}}, "users_source": "cc",
         "outputs": {"sft/1/adapter_model.safetensors": 100, "metrics/train-sft.jsonl": 5}, "version": "0.1.0",
         "started": "2026-01-02T03:04:05+00:00", "finished": "2026-01-02T03:04:06.5+00:00", "seconds": 1.5}
        """;

    const string Manifest =
        """
            {"version": "0.1.0", "machine": "Linux", "runtime": ".NET 10", "processors": 2,
             "recipe": {"sft.epochs": "2"}, "files": {"data user_others.json": "ab"}, "stages": [
            """
        + Marker
        + "]}";

    const string Forgotten = """
        {"salt": "00ff00ff00ff00ff00ff00ff00ff00ff",
         "users": ["5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"], "admitted": []}
        """;

    public const string Scores =
        """
            {"user": "1", "history_items": 3, "scores": {"cope": {"rouge-1": 0.5}}, "queries": [
            """
        + """
            {"query": "q", "gold": "g", "scores": {"cope": {"rouge-1": 0.5}, "base": {"rouge-1": 0.25}}}]}
            {"user": "2", "history_items": 4, "scores": {"cope": {"rouge-1": "NaN"}, "base": {"rouge-1": 1}}
            """
        + """
            , "queries": []}

            """;

    const string Significance = """
        [{"method": "cope", "baseline": "base", "metric": "rouge-1", "difference": 0.1, "low": 0.05, "high": null,
          "bootstrap_p": 0.01, "sign_p": 0.02, "unit": "users", "helped": 5, "hurt": 1, "equal": 0}]
        """;

    const string Choice = """
        {"learning_rate": 0.001, "epochs": 2, "texts": 9, "held_out": 2,
         "trials": [{"learning_rate": 0.001, "epochs": 2, "is_whole": true, "loss": 1.5, "loss_before": 2.5},
          {"learning_rate": 0.01, "epochs": 1, "is_whole": false, "loss": null, "loss_before": null}]}
        """;

    const string Journal = """
        {"command": "cope run --run x", "entries": [{"path": "sft/1", "existed": true, "is_copied": false}]}
        """;

    public const string Metrics = """
        {"stage": "train sft", "user": "1", "step": 1, "figures": {"loss": 1.5, "lr": 1e-4, "rewards/margins": "NaN"}}
        {"stage": "train sft", "user": "1", "step": 2, "figures": {"loss": 1.25, "development loss": 2}}

        """;

    const string Pairs = """
        {"user": "1", "item": "2", "rejected": "a", "rejected_reward": 0.5, "chosen_reward": -0.5, "rewards": [0.5, 1]}
        {"user": "1", "item": "3", "rejected": "b", "rewards": []}

        """;

    const string Candidates = """
        {"user": "1", "item": "2", "candidates": ["a", "b"], "source": "--endpoint x"}
        {"user": "1", "item": "3", "candidates": []}

        """;

    const string Likelihood = """
        {"user": "1", "query": "q", "tokens": 4, "nll": {"base": 3.5, "tam": 2}, "reward_rank": {"sft": 0.5}}

        """;

    const string AddedUser = """
        [{"user_id": "new", "profile": [{"id": 1, "text": "t", "title": "u"}], "query": []}]
        """;

    public static IEnumerable<FuzzedReader> All =>
        [
            CreateJson(
                "manifest",
                Manifest,
                run => run.Manifest,
                run => RunManifest.Read(run.Manifest),
                "RunManifest.Read"
            ) with
            {
                File = "manifest.json",
            },
            CreateJson("marker", Marker, run => run.Marker(StageId.TrainSft), ReadMarker, "StageMarker.Read"),
            CreateJson("forgotten", Forgotten, run => run.ForgottenUsers, ReadForgotten, "ForgottenUsers.Read") with
            {
                File = "forgotten.json",
            },
            CreateJson("significance", Significance, run => run.Significance, run => SignificanceFile.Read(run)),
            CreateJson("choice", Choice, run => run.TrainingChoice, run => TrainingChoice.Read(run)?.Describe()),
            CreateJson(
                "pending-choice",
                """{"Rate": true, "Epochs": false, "Length": true}""",
                run => Path.Combine(run.CheckpointsFolder, "choice.json"),
                run => PersonalChoice.FindPending(run)
            ),
            CreateJson("journal", Journal, ReplacementJournal.GetPath, run => ReplacementJournal.Read(run)),
            CreateJson("file-hashes", """{"a|1|2|cd": "ab"}""", run => run.FileHashes, ReadHashes),
            CreateJson("group-plan", """{"users_at_once": 2, "groups": [["1", "2"]]}""", GetPlan, ReadPlan),
            CreateJson("added-user", AddedUser, run => run.AddedUser("new"), ReadAdded),
            CreateLines("metrics", Metrics, run => run.Metrics(StageId.TrainSft), ReadMetrics),
            CreateLines("pairs", Pairs, run => run.Pairs, run => JsonLines.Read<SelectedPair>(run.Pairs)),
            CreateLines("candidates", Candidates, run => run.Candidates, ReadCandidates),
            CreateLines("scores", Scores, run => run.Scores, ReadScores),
            CreateLines("likelihood", Likelihood, run => run.Likelihood, ReadLikelihood),
            CreateLines(
                "profiles",
                """{"user": "1", "profile": "writes of rain"}""" + "\n",
                run => run.Profiles,
                run => JsonLines.Read<UserProfile>(run.Profiles)
            ),
            CreateLines(
                "instructions",
                """{"system": null, "prompt": "p", "answer": "a"}""" + "\n",
                run => Path.Combine(run.Root, "corpus", "instructions.jsonl"),
                ReadCorpus
            ),
            CreateLines("user-lines", Scores, run => run.Scores, run => _ = UserRecords.FindNamedUsers(run).ToList()),
        ];

    static FuzzedReader CreateJson(
        string name,
        string seed,
        Func<RunDirectory, string> getFile,
        Action<RunDirectory> read,
        params string[] covers
    ) => Create(name, InputFormat.Json, seed, getFile, read, covers);

    static FuzzedReader CreateLines(
        string name,
        string seed,
        Func<RunDirectory, string> getFile,
        Action<RunDirectory> read
    ) => Create(name, InputFormat.JsonLines, seed, getFile, read, ["JsonLines.Read"]);

    static FuzzedReader Create(
        string name,
        InputFormat format,
        string seed,
        Func<RunDirectory, string> getFile,
        Action<RunDirectory> read,
        string[] covers
    ) =>
        new()
        {
            Name = name,
            Format = format,
            Covers = covers,
            Seeds = _ => Bytes.OfAll(seed),
            Open = scratch =>
            {
                var run = new RunDirectory(scratch.MakeFolder(name));
                var file = Path.GetRelativePath(scratch.Folder, getFile(run));
                return input =>
                {
                    scratch.Write(file, input);
                    read(run);
                };
            },
        };

    static void ReadMarker(RunDirectory run)
    {
        if (StageMarker.Read(run.Marker(StageId.TrainSft)) is not { } marker)
        {
            return;
        }

        marker.DescribeChanges([new(InputKinds.Recipe, "sft.epochs", "3")]);
        marker.FindDamage(run, StageId.TrainSft);
        StageMarker.ComputeHash(marker.Inputs);
    }

    static void ReadForgotten(RunDirectory run)
    {
        var forgotten = ForgottenUsers.Read(run);
        forgotten.With("ann").Without("ann").Contains("ann");
        forgotten.CountedTowardLimit("ann");
        forgotten.RemainingLimit(3);
    }

    static void ReadHashes(RunDirectory run)
    {
        var hashes = new FileHashes(run.FileHashes);
        hashes.ComputeHash(run.FileHashes);
        hashes.Save();
    }

    static string GetPlan(RunDirectory run) => Path.Combine(run.Checkpoints(StageId.TrainSft), "groups.json");

    static void ReadPlan(RunDirectory run)
    {
        var folder = run.Checkpoints(StageId.TrainSft);
        UserGroupPlan.SelectUsers(folder, [], _ => false);
        UserGroupPlan.ReadOrCreate(folder, [new[] { "1", "2" }], 2, _ => 1);
    }

    static void ReadAdded(RunDirectory run) => AddedUsers.Merge([], run, LampTasks.NewsHeadline);

    static void ReadMetrics(RunDirectory run)
    {
        JsonLines.Read<StepMetrics>(run.Metrics(StageId.TrainSft));
        _ = TrainingCurves.Read(run).ToList();
        TrainingSummary.Read(run, StageId.TrainSft);
    }

    static void ReadCandidates(RunDirectory run) => JsonLines.Read<ItemCandidates>(run.Candidates);

    static void ReadScores(RunDirectory run) => _ = ScoresFile.Enumerate(run).Count();

    static void ReadLikelihood(RunDirectory run) => JsonLines.Read<QueryLikelihood>(run.Likelihood);

    static void ReadCorpus(RunDirectory run)
    {
        var corpus = Path.Combine(run.Root, "corpus");
        File.WriteAllText(Path.Combine(corpus, "neutral.txt"), "a document\n");
        PretrainCorpus.Load(new() { Corpus = corpus }, run.Root, progress: null, CancellationToken.None);
    }
}
