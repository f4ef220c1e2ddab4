using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>Runs whose task-adaptive model is the base model alone: <c>tam.adapter: none</c>.</summary>
[Collection("torch")]
public sealed class BaseAsTamTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    [Fact]
    public void With_the_base_as_task_adaptive_model_every_stage_but_its_training_runs()
    {
        Run("base-tam", "tam.adapter=none");

        var run = world.RunAt("base-tam");
        Assert.False(Directory.Exists(run.TamAdapter));
        Assert.Equal(Answers(run, "base"), Answers(run, "tam"));
        var results = ResultsFile.ReadJson(run.Results);
        Assert.Equal(results["base", "gold-nll"].Mean, results["tam", "gold-nll"].Mean);
        Assert.NotEqual(results["tam", "gold-nll"].Mean, results["sft", "gold-nll"].Mean);
        Assert.NotNull(results.Find("dpo", "reward-rank"));
        Assert.NotEqual(
            File.ReadAllBytes(Path.Combine(world.RunAt("undisturbed").SftAdapter("1"), "adapter_model.safetensors")),
            File.ReadAllBytes(Path.Combine(run.SftAdapter("1"), "adapter_model.safetensors"))
        );
    }

    [Fact]
    public void Its_training_has_nothing_to_do_and_says_so()
    {
        Assert.Equal(
            1,
            world.RunCommand(default, "train", "tam", "recipe.yaml", "--run", "none", "--set", "tam.adapter=none")
        );
        Assert.Contains("tam.adapter is none", world.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(world.RunAt("none").Recipe));
    }

    static IEnumerable<string> Answers(RunDirectory run, string method) =>
        PredictionFile.Read(run.Predictions(method)).Predictions.Select(prediction => prediction.Output);

    void Run(string run, string setting) =>
        Assert.True(world.RunCommand(default, "run", "recipe.yaml", "--run", run, "--set", setting) == 0, world.Error);
}
