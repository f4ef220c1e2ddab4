using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Experiments.Runs;
using CoPe.Training;

namespace CoPe.Cli.Tests.Verbs;

[Collection("torch")]
public sealed class WholeRunTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>, IDisposable
{
    const StringComparison Ordinal = StringComparison.Ordinal;
    static readonly string[] Methods = ["base", "tam", "sft", "sft+cd", "dpo", "cope"];

    public void Dispose() => AtomicFile.BeforeOperation = null;

    [Fact]
    public void A_run_leaves_adapters_predictions_results_and_a_report()
    {
        var run = world.RunAt("undisturbed");

        using var results = JsonDocument.Parse(File.ReadAllText(run.Results));
        Assert.Equal(Methods, results.RootElement.EnumerateObject().Select(method => method.Name));
        Assert.All(
            results.RootElement.EnumerateObject(),
            method => Assert.Equal(4, method.Value.GetProperty("rouge-l").GetProperty("n").GetInt32())
        );
        Assert.All(Methods, method => Assert.True(File.Exists(run.Predictions(method))));
        Assert.All(
            (string[])["1", "2"],
            user => Assert.True(Directory.Exists(run.SftAdapter(user)) && Directory.Exists(run.DpoAdapter(user)))
        );
        Assert.Contains("<html", File.ReadAllText(run.Report), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(
            Directory.EnumerateFiles(run.Root, "*", SearchOption.AllDirectories),
            file => new FileInfo(file).Length > 2_000_000
        );
    }

    [Fact]
    public void A_second_run_does_nothing_and_shows_the_same()
    {
        var before = world.HashArtifacts("undisturbed");

        Assert.Equal(0, world.RunAll("undisturbed"));

        Assert.DoesNotContain("begins", world.Error, StringComparison.Ordinal);
        Assert.Contains("SFT+CD", world.Output, StringComparison.Ordinal);
        Assert.Equal(before, world.HashArtifacts("undisturbed"));
    }

    [Fact]
    public void An_isolated_users_adapter_is_the_same_to_the_bit_whoever_else_there_is()
    {
        foreach (var (run, users) in ((string, string)[])[("alone", "1"), ("beside", "2")])
        {
            Assert.Equal(0, world.RunCommand(default, "train", "tam", "recipe.yaml", "--run", run));
            Assert.Equal(
                0,
                world.RunCommand(
                    default,
                    "train",
                    "sft",
                    "--run",
                    run,
                    "--users",
                    users,
                    "--set",
                    "sft.users_at_once=2",
                    "--isolate"
                )
            );
        }

        string Adapter(string run) =>
            world.HashArtifacts(run)[
                Path.GetRelativePath(
                    world.RunAt(run).Root,
                    Path.Combine(world.RunAt(run).SftAdapter("1"), "adapter_model.safetensors")
                )
            ];
        Assert.Equal(Adapter("alone"), Adapter("beside"));
    }

    [Fact]
    public void Users_at_once_is_a_number_or_auto_and_no_two_things_at_once()
    {
        Assert.Equal(0, world.RunCommand(default, "train", "tam", "recipe.yaml", "--run", "at-once"));
        Assert.Equal(0, world.RunCommand(default, "train", "sft", "--run", "at-once", "--users-at-once", "auto"));
        Assert.Contains(
            "users_at_once: null",
            File.ReadAllText(world.RunAt("at-once").Recipe),
            StringComparison.Ordinal
        );
        Assert.Equal(2, world.RunCommand(default, "train", "sft", "--run", "at-once", "--users-at-once", "0"));
        Assert.Contains("--users-at-once is '0'", world.Error, StringComparison.Ordinal);
        Assert.Equal(
            2,
            world.RunCommand(default, "train", "sft", "--run", "at-once", "--users-at-once", "2", "--isolate")
        );
    }

    [Fact]
    public void A_run_stopped_again_and_again_ends_with_the_same_bytes()
    {
        var stops = Disturb("stopped", (source, _) => source.Cancel(), 130);

        Assert.True(stops > 5, $"stopped {stops} times");
        Assert.Equal(world.HashArtifacts("undisturbed"), world.HashArtifacts("stopped"));
        Assert.Equal(ListTrainedSteps("undisturbed"), ListTrainedSteps("stopped"));
    }

    [Fact]
    public void A_run_whose_writes_fail_again_and_again_ends_with_the_same_bytes()
    {
        var failures = Disturb("failed", (_, operation) => throw new IOException("cannot " + operation), 1);

        Assert.True(failures > 5, $"failed {failures} times");
        Assert.Equal(world.HashArtifacts("undisturbed"), world.HashArtifacts("failed"));
        Assert.Equal(ListTrainedSteps("undisturbed"), ListTrainedSteps("failed"));
    }

    /// <summary>The lines of the metrics: which user's step each is of, and which figures it has.</summary>
    List<string> ListTrainedSteps(string run) =>
        [
            .. ((StageId[])[StageId.TrainTam, StageId.TrainSft, StageId.TrainDpo])
                .SelectMany(stage => JsonLines.Read<StepMetrics>(world.RunAt(run).Metrics(stage)))
                .Select(row => $"{row.Stage}, {row.User}, {row.Step}: {string.Join(", ", row.Figures.Keys)}")
                .Order(StringComparer.Ordinal),
        ];

    [Fact]
    public void Each_training_says_what_it_did_in_a_line_and_the_report_keeps_it()
    {
        var run = world.RunAt("undisturbed");
        var rows = JsonLines.Read<StepMetrics>(run.Metrics(StageId.TrainDpo));
        Assert.All(
            (string[])["1", "2"],
            user =>
            {
                var figures = rows.Last(row => row.User == user).Figures;
                Assert.Equal(0, figures["diverged"]);
                Assert.True(figures["adapter change"] > 0);
                Assert.InRange(figures["accuracy before"], 0, 1);
            }
        );
        Assert.Contains("Preference training moved the adapters by", File.ReadAllText(run.Report), Ordinal);

        Assert.Equal(0, world.RunCommand(default, "train", "dpo", "--run", "undisturbed", "--again"));
        Assert.Matches("train dpo: adapters moved [0-9.]+ %, pairs right [0-4] -> [0-4] of 4", world.Error);
    }

    [Fact]
    public void Where_every_users_training_diverges_the_stage_fails_and_says_what_to_lower()
    {
        Assert.Equal(0, world.RunCommand(default, "train", "tam", "recipe.yaml", "--run", "wrecked"));

        string[] train = ["train", "sft", "--run", "wrecked"];
        var code = world.RunCommand(default, [.. train, "--set", "sft.lora.alpha=1e30"]); // no gradient is finite

        Assert.Equal(1, code);
        Assert.Contains(
            "error: train sft: the training of all 2 users diverged; "
                + "lower sft.learning_rate (it is 0.01) and run it again",
            world.Error,
            Ordinal
        );
        Assert.Equal(0, world.RunCommand(default, [.. train, "--set", "sft.lora.alpha=8"]));
        Assert.Matches("train sft: 2 users, loss [0-9.]+ -> [0-9.]+, [0-9,]+ tokens", world.Error);
    }

    [Fact]
    public void Whichever_write_fails_the_run_after_it_ends_with_the_same_bytes()
    {
        const int stride = 41; // of some 330 operations; every single one takes minutes
        var failing = 1;
        for (var hasFailed = true; hasFailed; failing += stride)
        {
            var count = 0;
            AtomicFile.BeforeOperation = operation =>
            {
                if (++count == failing)
                {
                    throw new IOException("cannot " + operation);
                }
            };
            hasFailed = world.RunAll("nth") != 0;
            AtomicFile.BeforeOperation = null;
            Assert.True(hasFailed == count >= failing, $"operation {failing} of {count}: {world.Error}");
            Assert.True(world.RunAll("nth") == 0, $"after operation {failing} failed: {world.Error}");
            Assert.Equal(world.HashArtifacts("undisturbed"), world.HashArtifacts("nth"));
            Directory.Delete(world.RunAt("nth").Root, recursive: true);
        }

        Assert.True(failing > 5 * stride, $"only {failing} operations");
    }

    [Fact]
    public void The_stages_one_by_one_end_with_the_same_bytes()
    {
        string[] verbs =
        [
            "train tam recipe.yaml",
            "train sft",
            "negatives sample",
            "negatives select",
            "train dpo",
            "predict",
            "evaluate",
            "report",
        ];
        foreach (var verb in verbs)
        {
            Assert.True(
                world.RunCommand(default, [.. verb.Split(' '), "--run", "verbs"]) == 0,
                $"{verb}: {world.Error}"
            );
        }

        Assert.Equal(world.HashArtifacts("undisturbed"), world.HashArtifacts("verbs"));
    }

    [Fact]
    public void Preference_training_takes_the_reference_from_the_selection()
    {
        foreach (var verb in (string[])["train tam recipe.yaml", "train sft", "negatives sample", "negatives select"])
        {
            Assert.Equal(0, world.RunCommand(default, [.. verb.Split(' '), "--run", "reference"]));
        }

        var run = world.RunAt("reference");
        var pairs = File.ReadAllLines(run.Pairs);
        var taken = FirstReward(_ => { });
        var computed = FirstReward(pair => pair["reference"] = null);
        var shifted = FirstReward(pair =>
            pair["reference"]!["tam"]!["chosen"] = (double)pair["reference"]!["tam"]!["chosen"]! - 100
        );
        var ofOtherTokens = FirstReward(pair =>
            (pair["reference"]!["tam"]!["chosen"], pair["reference"]!["tokens"]) = (0, "another text")
        );

        Assert.Equal(computed, taken, 1e-4);
        Assert.Equal(computed + 1, shifted, 1e-4); // beta is .01
        Assert.Equal(computed, ofOtherTokens, 1e-4);

        double FirstReward(Action<JsonNode> change)
        {
            File.WriteAllLines(
                run.Pairs,
                pairs.Select(line =>
                {
                    var pair = JsonNode.Parse(line)!;
                    change(pair);
                    return pair.ToJsonString();
                })
            );
            // A file of another size would count as damaged.
            var marker = StageMarker.Read(run.Marker(StageId.SelectNegatives))!;
            (
                marker with
                {
                    Outputs = new(marker.Outputs)
                    {
                        [Path.GetRelativePath(run.Root, run.Pairs).Replace('\\', '/')] = new FileInfo(run.Pairs).Length,
                    },
                }
            ).Write(run.Marker(StageId.SelectNegatives));
            Assert.True(world.RunCommand(default, "train", "dpo", "--run", "reference", "--again") == 0, world.Error);
            return (double)
                JsonNode.Parse(File.ReadLines(run.Metrics(StageId.TrainDpo)).First())!["figures"]!["rewards/chosen"]!;
        }
    }

    /// <summary>
    /// Runs until the run is whole, disturbing each attempt at a later file operation than the one before; returns how
    /// many attempts were disturbed.
    /// </summary>
    int Disturb(string run, Action<CancellationTokenSource, string> disturb, int code)
    {
        for (var attempt = 1; attempt < 100; attempt++)
        {
            using var source = new CancellationTokenSource();
            var left = 4 + (2 * attempt);
            AtomicFile.BeforeOperation = operation =>
            {
                if (--left == 0)
                {
                    disturb(source, operation);
                }
            };
            var ended = world.RunAll(run, source.Token);
            AtomicFile.BeforeOperation = null;
            if (ended == 0)
            {
                return attempt - 1;
            }

            Assert.True(ended == code, $"attempt {attempt} ended with {ended}: {world.Error}");
        }

        throw new InvalidOperationException("the run never came to its end");
    }
}

/// <summary>Whole trainings that hold out the last of each history.</summary>
[Collection("torch")]
public sealed class EarlyStoppingTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>, IDisposable
{
    static readonly string[] Stopping =
    [
        "--set",
        "sft.early_stopping.items=1",
        "--set",
        "sft.early_stopping.patience=1",
        "--set",
        "sft.early_stopping.every_steps=1",
        "--set",
        "sft.epochs=6",
        "--set",
        "sft.learning_rate=0.3",
        "--set",
        "dpo.early_stopping.items=1",
        "--set",
        "dpo.epochs=2",
    ];

    public void Dispose() => AtomicFile.BeforeOperation = null;

    int Run(string run, CancellationToken cancellation = default) =>
        world.RunCommand(cancellation, ["run", "recipe.yaml", "--run", run, .. Stopping]);

    IEnumerable<StepMetrics> Metrics(string run, StageId stage) =>
        JsonLines.Read<StepMetrics>(world.RunAt(run).Metrics(stage));

    [Fact]
    public void Each_user_is_measured_on_the_last_item_of_their_history_and_stops_independently()
    {
        Assert.True(Run("stopping") == 0, world.Error);

        foreach (var user in (string[])["1", "2"])
        {
            var sft = Metrics("stopping", StageId.TrainSft).Where(row => row.User == user).ToArray();
            Assert.Equal(0, sft.First(row => row.Figures.ContainsKey("development loss")).Step);
            Assert.True(
                sft.Max(row => row.Step) < 6,
                $"user {user} took {sft.Max(row => row.Step)} steps of 6 with a rate far too high"
            ); // two examples learned from, one step an epoch
            Assert.Contains(
                Metrics("stopping", StageId.TrainDpo),
                row => row.User == user && row.Figures.ContainsKey("development loss")
            );
        }

        Assert.Contains("held out", File.ReadAllText(world.RunAt("stopping").Report), StringComparison.Ordinal);
        Assert.NotEqual(world.HashArtifacts("undisturbed"), world.HashArtifacts("stopping"));
    }

    [Fact]
    public void Stopped_again_and_again_it_ends_with_the_same_bytes()
    {
        Assert.True(Run("whole") == 0, world.Error);
        var code = 130;
        for (var attempt = 1; code == 130 && attempt < 60; attempt++)
        {
            using var source = new CancellationTokenSource();
            var left = 3 + (4 * attempt);
            AtomicFile.BeforeOperation = _ =>
            {
                if (--left == 0)
                {
                    source.Cancel();
                }
            };
            code = Run("again", source.Token);
        }

        Assert.Equal(0, code);
        Assert.Equal(world.HashArtifacts("whole"), world.HashArtifacts("again"));
    }
}
