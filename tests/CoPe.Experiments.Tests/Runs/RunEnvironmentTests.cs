using System.Collections;
using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

public sealed class RunEnvironmentTests : ToyPipeline
{
    static readonly RunEnvironment Usual = new()
    {
        Processor = "a processor",
        Instructions = "avx2",
        VectorBits = 256,
        Compute = WithThreads(2),
        Runtime = ".NET 10",
        Icu = "72.1",
        Variables = [],
    };

    static ComputeEnvironment WithThreads(int threads) =>
        new()
        {
            Device = "cpu",
            Torch = "2.10",
            Threads = threads,
            TokensPerPass = 2048,
        };

    [Fact]
    public void This_process_has_an_environment_that_is_the_same_to_itself()
    {
        var context = Context();

        var environment = RunEnvironment.Capture(context.Workspace);

        Assert.NotEqual("none", environment.Icu);
        Assert.NotEmpty(environment.Processor);
        Assert.Null(environment.Compute); // There is no model that could be loaded.
        Assert.Empty(environment.FindChanges(RunEnvironment.Capture(context.Workspace)));
    }

    [Fact]
    public void Differences_are_named_with_what_they_may_change()
    {
        var other = Usual with
        {
            Compute = WithThreads(1),
            Icu = "74.2",
            Variables = new() { ["MKL_CBWR"] = "AVX2" },
        };

        var changes = Usual.FindChanges(other);

        Assert.Equal(
            ["thread count was 2, is 1", "ICU was 72.1, is 74.2", "MKL_CBWR was none, is AVX2"],
            changes.Select(change => change.ToString())
        );
        var text = EnvironmentChange.Describe(changes);
        Assert.Contains("sums are rounded otherwise", text, StringComparison.Ordinal);
        Assert.Contains("characters that are new in Unicode", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Unicode", EnvironmentChange.Describe([changes[0]]), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_variables_that_libraries_choose_code_by_are_recorded()
    {
        var variables = new Hashtable
        {
            ["OMP_NUM_THREADS"] = "1",
            ["MKL_FUTURE_SWITCH"] = "on",
            ["DOTNET_EnableAVX2"] = "0",
            ["OMP_WAIT_POLICY"] = "PASSIVE",
            ["HF_TOKEN"] = "secret",
            ["HOME"] = "/home/a",
            ["TZ"] = "UTC",
        };

        Assert.Equal(
            ["DOTNET_EnableAVX2", "MKL_FUTURE_SWITCH", "OMP_NUM_THREADS"],
            LibraryVariables.Select(variables).Keys
        );
    }

    [Fact]
    public void A_run_that_is_resumed_in_another_environment_says_so_and_records_both()
    {
        second.BeforeExecute = _ => throw new OperationCanceledException();
        Assert.Throws<OperationCanceledException>(() => pipeline.Run(In(Usual)));
        second.BeforeExecute = null;
        var log = new RecordingLogger();

        pipeline.Run(In(Usual with { Compute = WithThreads(1) }) with { Log = log });

        Assert.Contains(
            "was begun in another environment: thread count was 2, is 1: sums are rounded otherwise",
            Assert.Single(log.Warnings),
            StringComparison.Ordinal
        );
        var manifest = RunManifest.Read(Context().Run.Manifest);
        Assert.Equal(1, manifest.Environment?.Compute?.Threads);
        Assert.Equal([2], ThreadsOf(manifest, 0)!);
        Assert.Equal([2, 1], ThreadsOf(manifest, 1)!);
        Assert.Null(ThreadsOf(manifest, 2)); // That of the manifest.
    }

    [Fact]
    public void Where_nothing_is_left_to_run_or_the_environment_is_the_same_nothing_is_said()
    {
        pipeline.Run(In(Usual));
        var log = new RecordingLogger();

        pipeline.Run(In(Usual with { Compute = WithThreads(1) }) with { Log = log });
        pipeline.Run(
            ContextAt("run", "sft.epochs=9") with
            {
                Environment = Usual,
                Log = log,
                AllowCostlyRebuild = true,
            }
        );

        Assert.DoesNotContain(log.Warnings, text => text.Contains("environment", StringComparison.Ordinal));
    }

    StageContext In(RunEnvironment environment) => Context() with { Environment = environment };

    static IEnumerable<int>? ThreadsOf(RunManifest manifest, int stage) =>
        manifest.Stages[stage].Environments?.Select(environment => environment.Compute!.Threads);
}
