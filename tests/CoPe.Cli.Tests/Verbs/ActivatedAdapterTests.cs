using System.Text.Json.Nodes;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>A run whose user adapters act on the answer alone.</summary>
[Collection("torch")]
public sealed class ActivatedAdapterTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    [Fact]
    public void A_run_trains_scores_and_answers_with_adapters_that_act_on_the_answer_alone()
    {
        var run = RunActivated("activated");

        foreach (var folder in new[] { run.SftAdapter("1"), run.DpoAdapter("1") })
        {
            var config = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "adapter_config.json")))!.AsObject();
            Assert.NotEmpty(config["alora_invocation_tokens"]!.AsArray());
            Assert.Contains(
                "cannot be merged",
                File.ReadAllText(Path.Combine(folder, "README.md")),
                StringComparison.Ordinal
            );
        }
        Assert.DoesNotContain(
            "alora",
            File.ReadAllText(Path.Combine(run.TamAdapter, "adapter_config.json")),
            StringComparison.Ordinal
        );
        Assert.NotEqual(
            File.ReadAllBytes(Path.Combine(world.RunAt("undisturbed").SftAdapter("1"), "adapter_model.safetensors")),
            File.ReadAllBytes(Path.Combine(run.SftAdapter("1"), "adapter_model.safetensors"))
        );
        Assert.Equal(0, Cope("run", "--run", "activated"));
        Assert.DoesNotContain("begins", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_from_before_the_key_was_there_is_current_and_its_adapters_are_the_same()
    {
        var before = world.HashArtifacts("undisturbed");
        Assert.Equal(0, Cope("run", "--run", "undisturbed", "--set", "sft.lora.active=everywhere"));
        Assert.DoesNotContain("begins", world.Error, StringComparison.Ordinal);
        Assert.Equal(before, world.HashArtifacts("undisturbed"));
        Assert.DoesNotContain(
            "lora.active",
            File.ReadAllText(world.RunAt("undisturbed").Marker(StageId.TrainSft)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Their_answers_are_scored_and_a_merge_is_refused_by_name()
    {
        var run = RunActivated("scored");
        Assert.Equal(0, Cope("score", "It rains", "--prompt", "A headline", "--run", "scored", "--user", "1"));
        var adapter = run.SftAdapter("1");
        Assert.Equal(1, Cope("model", "merge", "model", run.TamAdapter, adapter, "--output", "merged"));
        Assert.Contains(adapter, world.Error, StringComparison.Ordinal);
        Assert.Contains("alora_invocation_tokens", world.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(world.PathOf("merged")));
    }

    [Fact]
    public void Text_before_the_answer_has_the_probabilities_of_the_base_model()
    {
        var run = RunActivated("plain");
        string[] line =
        [
            "score",
            "It rains",
            "--model",
            world.PathOf("model"),
            "--adapter",
            run.SftAdapter("1"),
            "--json",
        ];
        Assert.Equal(0, Cope(line));
        var tokens = JsonNode.Parse(world.Output)!["tokens"]!.AsArray();
        var scored = tokens.Select(token => token!["log_probability"]).OfType<JsonObject>().ToList();
        Assert.NotEmpty(scored);
        Assert.All(scored, models => Assert.Single(models.Select(model => (double)model.Value!).Distinct()));
    }

    RunDirectory RunActivated(string name)
    {
        string[] line = ["run", "recipe.yaml", "--run", name, "--set", "sft.lora.active=answer"];
        Assert.True(Cope(line) == 0, world.Error);
        return world.RunAt(name);
    }

    int Cope(params string[] line) => world.RunCommand(TestContext.Current.CancellationToken, line);
}
