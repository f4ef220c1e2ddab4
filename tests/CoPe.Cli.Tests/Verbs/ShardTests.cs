using System.Security.Cryptography;
using CoPe.Experiments.Data.Samples;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Blocks;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>A run of five users in blocks of two, made whole.</summary>
public sealed class BlocksFixture : IDisposable
{
    const string Recipe = """
        task: news_headline
        model: model
        data: many
        block_users: 2
        tam: { epochs: 1, batch_size: 4, cut_off: 400, max_words: 12, learning_rate: 0.01 }
        sft: { epochs: 2, batch_size: 2, cut_off: 400, max_words: 12, learning_rate: 0.01 }
        negatives: { candidates: 2, max_new_tokens: 5 }
        dpo: { batch_size: 2, cut_off: 400, max_words: 12, learning_rate: 0.01 }
        decode: { max_new_tokens: 5 }
        predict: [base, tam, sft, cope, pag]
        evaluate: { resamples: 100 }
        """;

    public BlocksFixture()
    {
        File.WriteAllText(World.PathOf("many.yaml"), Recipe);
        SampleData.Write(
            World.PathOf("many"),
            new()
            {
                Users = 5,
                OtherUsers = 4,
                MinHistory = 3,
                MaxHistory = 3,
                OtherHistory = 0,
                QueriesPerUser = 2,
                Documents = 0,
                Instructions = 0,
            }
        );
        Assert.Equal(0, Run("run", "many.yaml", "--run", "whole"));
    }

    public TinyRunFixture World { get; } = new();

    public int Run(params string[] args) => World.RunCommand(default, args);

    /// <summary>Every file of a run but those that hold times.</summary>
    public SortedDictionary<string, string> HashFiles(string run)
    {
        var root = World.RunAt(run).Root;
        string[] timed = [".lock", "manifest.json", "report.html"];
        var files = Directory
            .EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(root, file).Replace('\\', '/'))
            .Where(file => !timed.Contains(file) && !file.StartsWith("stages/", StringComparison.Ordinal))
            .Where(file => !file.StartsWith("metrics/", StringComparison.Ordinal));
        return new(
            files.ToDictionary(
                file => file,
                file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(root, file))))
            ),
            StringComparer.Ordinal
        );
    }

    public void Dispose() => World.Dispose();
}

[Collection("torch")]
public sealed class ShardTests(BlocksFixture blocks) : IClassFixture<BlocksFixture>, IDisposable
{
    readonly TinyRunFixture _world = blocks.World;

    public void Dispose() => AtomicFile.BeforeOperation = null;

    int RunShard(string run, string shard, string silentAfter = "150", CancellationToken cancellation = default) =>
        _world.RunCommand(cancellation, "run", "--run", run, "--shard", shard, "--silent-after", silentAfter);

    void Prepare(string run) => Assert.Equal(0, blocks.Run("shards", "prepare", "many.yaml", "--run", run));

    void AssertFinishesAsTheWhole(string run)
    {
        Assert.Equal(0, blocks.Run("finish", run));
        Assert.Equal(blocks.HashFiles("whole"), blocks.HashFiles(run));
    }

    [Theory]
    [InlineData("one", "0/1")]
    [InlineData("three", "2/3", "0/3", "1/3")]
    [InlineData("mixed", "1/2", "3/8", "0/1")]
    public void Shards_of_any_number_in_any_order_make_the_bytes_of_one_process(string run, params string[] shards)
    {
        Prepare(run);
        foreach (var shard in shards)
        {
            Assert.Equal(0, RunShard(run, shard));
        }

        AssertFinishesAsTheWhole(run);
        Assert.False(Directory.Exists(_world.RunAt(run).Blocks));
        Assert.Equal(0, blocks.Run("run", "--run", run));
        Assert.DoesNotContain("begins", _world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_with_missing_blocks_is_not_finished_and_says_which()
    {
        Prepare("missing");
        Assert.Equal(0, RunShard("missing", "1/3"));

        Assert.Equal(1, blocks.Run("finish", "missing"));
        Assert.Contains("2 of 3 blocks of missing are not complete: 0,2;", _world.Error, StringComparison.Ordinal);
        Assert.Equal(0, blocks.Run("shards", "ls", "missing", "--missing", "--array"));
        Assert.Equal("0,2\n", _world.Output);
        Assert.Equal(0, blocks.Run("shards", "ls", "missing", "--missing", "--array", "--shards", "2"));
        Assert.Equal("0\n", _world.Output);
        Assert.Equal(0, blocks.Run("status", "missing"));
        Assert.Contains("1 of 3 complete: 1", _world.Output, StringComparison.Ordinal);
        Assert.Equal(1, blocks.Run("run", "--run", "missing"));
        Assert.Contains("is made in blocks", _world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shard_on_a_machine_that_cannot_compute_by_the_plan_is_refused()
    {
        Prepare("elsewhere");
        var run = _world.RunAt("elsewhere");
        (RunPlan.Read(run)! with { Instructions = "abacus" }).Write(run);

        Assert.Equal(2, RunShard("elsewhere", "0/1"));
        Assert.Contains("instruction set abacus", _world.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(run.Blocks));
    }

    [Fact]
    public void A_shard_before_what_all_users_share_is_complete_is_refused()
    {
        File.Copy(_world.RunAt("whole").Recipe, _world.PathOf("early.yaml"), overwrite: true);
        Prepare("early");
        File.Delete(_world.RunAt("early").Marker(StageId.TrainTam));

        Assert.Equal(1, RunShard("early", "0/1"));
        Assert.Contains("cope shards prepare", _world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_block_whose_process_is_silent_is_taken_up_and_the_silent_one_does_no_harm_when_it_wakes()
    {
        Prepare("frozen");
        var code = -1;
        var isFrozen = false;
        AtomicFile.BeforeOperation = operation =>
        {
            if (!isFrozen && operation.StartsWith("append", StringComparison.Ordinal))
            {
                isFrozen = true; // in the middle of a stage, and without a sign for a day
                using (ExecutionContext.SuppressFlow())
                {
                    code = Task.Run(() => RunShard("frozen", "0/1", silentAfter: "1")).GetAwaiter().GetResult();
                }
            }
        };

        Assert.Equal(0, RunShard("frozen", "0/1", silentAfter: "86400"));

        Assert.Equal(0, code);
        AtomicFile.BeforeOperation = null;
        AssertFinishesAsTheWhole("frozen");
    }

    [Fact]
    public void A_block_whose_process_gives_signs_of_life_is_left_to_it()
    {
        Prepare("busy");
        var code = -1;
        AtomicFile.BeforeOperation = operation =>
        {
            if (code < 0 && operation.Contains("train-dpo", StringComparison.Ordinal))
            {
                using (ExecutionContext.SuppressFlow())
                {
                    code = Task.Run(() => RunShard("busy", "0/3", silentAfter: "60")).GetAwaiter().GetResult();
                }
            }
        };

        Assert.Equal(0, RunShard("busy", "0/1", silentAfter: "1"));

        Assert.Equal(75, code);
        AtomicFile.BeforeOperation = null;
        AssertFinishesAsTheWhole("busy");
    }

    [Fact]
    public void A_shard_that_is_stopped_again_and_again_ends_with_the_same_bytes()
    {
        Prepare("stopped");
        var code = 75;
        var stops = 0;
        for (var operations = 40; code == 75; operations += 60)
        {
            using var stop = new CancellationTokenSource();
            var left = operations;
            AtomicFile.BeforeOperation = _ =>
            {
                if (--left == 0)
                {
                    stop.Cancel();
                }
            };
            code = RunShard("stopped", stops % 2 == 0 ? "0/1" : "0/2", cancellation: stop.Token);
            stops += code == 75 ? 1 : 0;
        }

        Assert.True(stops > 2, $"stopped {stops} times");

        AtomicFile.BeforeOperation = null;
        Assert.Equal(0, code);
        Assert.Equal(0, RunShard("stopped", "1/2"));
        Assert.Equal(0, RunShard("stopped", "0/2"));
        AssertFinishesAsTheWhole("stopped");
    }

    [Fact]
    public void An_end_whose_writes_fail_again_and_again_makes_the_same_bytes()
    {
        Prepare("broken");
        Assert.Equal(0, RunShard("broken", "0/1"));
        Assert.True(File.Exists(new BlockFolders(_world.RunAt("broken")).GetComplete(0).Likelihood));
        var failures = 0;
        for (var code = 1; code == 1; failures++)
        {
            var left = 7 + (13 * failures);
            AtomicFile.BeforeOperation = operation =>
            {
                if (--left == 0)
                {
                    throw new IOException("cannot " + operation);
                }
            };
            code = blocks.Run("finish", "broken");
        }

        AtomicFile.BeforeOperation = null;
        Assert.True(failures > 5, $"failed {failures} times");
        AssertFinishesAsTheWhole("broken");
    }

    [Theory]
    [InlineData("3/3")]
    [InlineData("1")]
    [InlineData("-1/2")]
    public void A_shard_is_a_number_below_the_number_of_shards(string shard)
    {
        Assert.Equal(2, blocks.Run("run", "--run", "whole", $"--shard={shard}"));
        Assert.Contains("it must be I/N", _world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_of_schedulers_name_the_shard()
    {
        Dictionary<string, string> slurm = new()
        {
            ["SLURM_ARRAY_TASK_ID"] = "3",
            ["SLURM_ARRAY_TASK_MIN"] = "1",
            ["SLURM_ARRAY_TASK_MAX"] = "8",
            ["SLURM_ARRAY_TASK_COUNT"] = "8",
        };
        Assert.Equal(new Shard(2, 8), Shard.FromEnvironment(slurm.GetValueOrDefault));
        slurm["SLURM_ARRAY_TASK_COUNT"] = "5"; // 1,3-5,8
        Assert.Throws<RunException>(() => Shard.FromEnvironment(slurm.GetValueOrDefault));
        Dictionary<string, string> pod = new() { ["JOB_COMPLETION_INDEX"] = "7", ["JOB_COMPLETIONS"] = "8" };
        Assert.Equal(new Shard(7, 8), Shard.FromEnvironment(pod.GetValueOrDefault));
        Assert.Null(Shard.FromEnvironment(_ => null));
    }
}
