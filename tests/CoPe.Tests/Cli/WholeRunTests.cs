using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Runs;

namespace CoPe.Tests.Cli;

[Collection("torch")]
public sealed class WholeRunTests(TinyWorld world) : IClassFixture<TinyWorld>, IDisposable
{
    static readonly string[] Methods = ["base", "tam", "sft", "sft+cd", "dpo", "cope"];

    public void Dispose() => AtomicFile.BeforeOperation = null;

    [Fact]
    public void A_run_leaves_adapters_predictions_results_and_a_report()
    {
        var run = world.At("undisturbed");

        using var results = JsonDocument.Parse(File.ReadAllText(run.Results));
        Assert.Equal(Methods, results.RootElement.EnumerateObject().Select(method => method.Name));
        Assert.All(results.RootElement.EnumerateObject(), method => Assert.Equal(4, method.Value.GetProperty("rouge-l").GetProperty("n").GetInt32()));
        Assert.All(Methods, method => Assert.True(File.Exists(run.Predictions(method))));
        Assert.All((string[])["1", "2"], user => Assert.True(Directory.Exists(run.SftAdapter(user)) && Directory.Exists(run.DpoAdapter(user))));
        Assert.Contains("<html", File.ReadAllText(run.Report), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Directory.EnumerateFiles(run.Root, "*", SearchOption.AllDirectories), file => new FileInfo(file).Length > 2_000_000);
    }

    [Fact]
    public void A_second_run_does_nothing_and_shows_the_same()
    {
        var before = world.Bytes("undisturbed");

        Assert.Equal(0, world.Run("undisturbed"));

        Assert.DoesNotContain("begins", world.Error, StringComparison.Ordinal);
        Assert.Contains("SFT+CD", world.Output, StringComparison.Ordinal);
        Assert.Equal(before, world.Bytes("undisturbed"));
    }

    [Fact]
    public void An_isolated_users_adapter_is_the_same_to_the_bit_whoever_else_there_is()
    {
        foreach (var (run, users) in ((string, string)[])[("alone", "1"), ("beside", "2")])
        {
            Assert.Equal(0, world.Cope(default, "train", "tam", "recipe.yaml", "--run", run));
            Assert.Equal(0, world.Cope(default, "train", "sft", "--run", run, "--users", users, "--set", "sft.users_at_once=2", "--isolate"));
        }

        string Adapter(string run) => world.Bytes(run)[Path.GetRelativePath(world.At(run).Root, Path.Combine(world.At(run).SftAdapter("1"), "adapter_model.safetensors"))];
        Assert.Equal(Adapter("alone"), Adapter("beside"));
    }

    [Fact]
    public void Users_at_once_is_a_number_or_auto_and_no_two_things_at_once()
    {
        Assert.Equal(0, world.Cope(default, "train", "tam", "recipe.yaml", "--run", "at-once"));
        Assert.Equal(0, world.Cope(default, "train", "sft", "--run", "at-once", "--users-at-once", "auto"));
        Assert.Contains("users_at_once: null", File.ReadAllText(world.At("at-once").Recipe), StringComparison.Ordinal);
        Assert.Equal(2, world.Cope(default, "train", "sft", "--run", "at-once", "--users-at-once", "0"));
        Assert.Contains("--users-at-once is '0'", world.Error, StringComparison.Ordinal);
        Assert.Equal(2, world.Cope(default, "train", "sft", "--run", "at-once", "--users-at-once", "2", "--isolate"));
    }

    [Fact]
    public void A_run_stopped_again_and_again_ends_with_the_same_bytes()
    {
        var stops = Disturb("stopped", (source, _) => source.Cancel(), 130);

        Assert.True(stops > 5, $"stopped {stops} times");
        Assert.Equal(world.Bytes("undisturbed"), world.Bytes("stopped"));
    }

    [Fact]
    public void A_run_whose_writes_fail_again_and_again_ends_with_the_same_bytes()
    {
        var failures = Disturb("failed", (_, operation) => throw new IOException("cannot " + operation), 1);

        Assert.True(failures > 5, $"failed {failures} times");
        Assert.Equal(world.Bytes("undisturbed"), world.Bytes("failed"));
    }

    [Fact]
    public void Whichever_write_fails_the_run_after_it_ends_with_the_same_bytes()
    {
        const int stride = 41; // of some 330 operations; every single one takes minutes
        var failing = 1;
        for (var hasFailed = true; hasFailed; failing += stride)
        {
            var count = 0;
            AtomicFile.BeforeOperation = operation => { if (++count == failing) throw new IOException("cannot " + operation); };
            hasFailed = world.Run("nth") != 0;
            AtomicFile.BeforeOperation = null;
            Assert.True(hasFailed == count >= failing, $"operation {failing} of {count}: {world.Error}");
            Assert.True(world.Run("nth") == 0, $"after operation {failing} failed: {world.Error}");
            Assert.Equal(world.Bytes("undisturbed"), world.Bytes("nth"));
            Directory.Delete(world.At("nth").Root, recursive: true);
        }

        Assert.True(failing > 5 * stride, $"only {failing} operations");
    }

    [Fact]
    public void The_stages_one_by_one_end_with_the_same_bytes()
    {
        string[] verbs = ["train tam recipe.yaml", "train sft", "negatives sample", "negatives select", "train dpo", "predict", "evaluate", "report"];
        foreach (var verb in verbs) Assert.True(world.Cope(default, [.. verb.Split(' '), "--run", "verbs"]) == 0, $"{verb}: {world.Error}");

        Assert.Equal(world.Bytes("undisturbed"), world.Bytes("verbs"));
    }

    [Fact]
    public void Preference_training_takes_the_reference_from_the_selection()
    {
        foreach (var verb in (string[])["train tam recipe.yaml", "train sft", "negatives sample", "negatives select"]) Assert.Equal(0, world.Cope(default, [.. verb.Split(' '), "--run", "reference"]));
        var run = world.At("reference");
        var pairs = File.ReadAllLines(run.Pairs);
        var taken = FirstReward(_ => { });
        var computed = FirstReward(pair => pair["reference"] = null);
        var shifted = FirstReward(pair => pair["reference"]!["tam"]!["chosen"] = (double)pair["reference"]!["tam"]!["chosen"]! - 100);
        var ofOtherTokens = FirstReward(pair => (pair["reference"]!["tam"]!["chosen"], pair["reference"]!["tokens"]) = (0, "another text"));

        Assert.Equal(computed, taken, 1e-4);
        Assert.Equal(computed + 1, shifted, 1e-4); // beta is .01
        Assert.Equal(computed, ofOtherTokens, 1e-4);

        double FirstReward(Action<JsonNode> change)
        {
            File.WriteAllLines(run.Pairs, pairs.Select(line =>
            {
                var pair = JsonNode.Parse(line)!;
                change(pair);
                return pair.ToJsonString();
            }));
            var marker = StageMarker.Read(run.Marker("negatives select"))!; // a file of another size would count as damaged
            (marker with { Outputs = new(marker.Outputs) { [Path.GetRelativePath(run.Root, run.Pairs).Replace('\\', '/')] = new FileInfo(run.Pairs).Length } }).Write(run.Marker("negatives select"));
            Assert.True(world.Cope(default, "train", "dpo", "--run", "reference", "--again") == 0, world.Error);
            return (double)JsonNode.Parse(File.ReadLines(run.Metrics("train dpo")).First())!["figures"]!["rewards/chosen"]!;
        }
    }

    /// <summary>Runs until the run is whole, disturbing each attempt at a later file operation than the one before; returns how many attempts were disturbed.</summary>
    int Disturb(string run, Action<CancellationTokenSource, string> disturb, int code)
    {
        for (var attempt = 1; attempt < 100; attempt++)
        {
            using var source = new CancellationTokenSource();
            var left = 4 + (2 * attempt);
            AtomicFile.BeforeOperation = operation => { if (--left == 0) disturb(source, operation); };
            var ended = world.Run(run, source.Token);
            AtomicFile.BeforeOperation = null;
            if (ended == 0) return attempt - 1;
            Assert.True(ended == code, $"attempt {attempt} ended with {ended}: {world.Error}");
        }

        throw new InvalidOperationException("the run never came to its end");
    }
}
