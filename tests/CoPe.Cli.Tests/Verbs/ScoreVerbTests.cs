using System.Text.Json.Nodes;
using CoPe.Kernels.Torch;
using TorchSharp;

namespace CoPe.Cli.Tests.Verbs;

[Collection("torch")]
public sealed class ScoreVerbTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    string User =>
        Path.GetFileName(
            Directory.GetDirectories(world.RunAt("undisturbed").SftAdapters).Order(StringComparer.Ordinal).First()
        );

    JsonNode Score(params string[] args)
    {
        Assert.Equal(0, world.RunCommand(default, ["score", .. args, "--json"]));
        return JsonNode.Parse(world.Output)!;
    }

    [Fact]
    public void A_text_is_scored_under_every_model_of_a_run_side_by_side()
    {
        Assert.Equal(
            0,
            world.RunCommand(
                default,
                "score",
                "It rains again",
                "--prompt",
                "Generate a headline: rain",
                "--run",
                "undisturbed",
                "--user",
                User
            )
        );
        Assert.Contains("token", world.Output, StringComparison.Ordinal);
        foreach (var column in (string[])["base", "tam", "sft", "dpo", "dpo - tam", "sum", "mean", "perplexity"])
        {
            Assert.Contains(column, world.Output, StringComparison.Ordinal);
        }

        Assert.All(world.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));
    }

    [Fact]
    public void Merged_into_one_folder_the_adapters_of_a_user_give_the_same_log_probabilities()
    {
        var run = world.RunAt("undisturbed");
        var merged = world.RunAt("merged").Root;
        Assert.Equal(
            0,
            world.RunCommand(
                default,
                "model",
                "merge",
                "model",
                run.TamAdapter,
                run.DpoAdapter(User),
                "--output",
                merged
            )
        );

        string[] text = ["It rains again", "--prompt", "Generate a headline: rain"];
        var separate = Score([.. text, "--run", "undisturbed", "--user", User]);
        var mergedScore = Score([.. text, "--model", merged]);

        // Bf16 weights: merged once, unmerged never rounded.
        Assert.Equal((double)separate["sum"]!["dpo"]!, (double)mergedScore["sum"]!["base"]!, 2e-2);
        Assert.NotEqual((double)separate["sum"]!["base"]!, (double)separate["sum"]!["dpo"]!, 2e-2);
    }

    [Fact]
    public void The_parts_of_a_text_are_the_text_and_their_log_probabilities_its_sum()
    {
        var score = Score(
            "It rains;\nagain 雨",
            "--model",
            "model",
            "--adapter",
            world.RunAt("undisturbed").TamAdapter
        );
        var tokens = score["tokens"]!.AsArray();
        Assert.Equal("It rains;\nagain 雨", string.Concat(tokens.Select(token => (string)token!["text"]!)));
        var scored = tokens.Where(token => token!["log_probability"] is not null).ToList();
        Assert.Equal((int)score["scored"]!, scored.Count);
        Assert.Equal(
            (double)score["sum"]!["adapter"]!,
            scored.Sum(token => (double)token!["log_probability"]!["adapter"]!),
            1e-3
        );
        Assert.Equal(Math.Exp(-(double)score["mean"]!["base"]!), (double)score["perplexity"]!["base"]!, 1e-6);
    }

    [Fact]
    public void A_text_may_come_from_a_file_or_a_pipe_and_its_last_newline_does_not_count()
    {
        File.WriteAllText(world.RunAt("text.txt").Root, "It rains again\n");
        var said = Score("It rains again").ToJsonString();
        Assert.Equal(said, Score("--file", "text.txt").ToJsonString());
        world.Input = "It rains again\r\n";
        Assert.Equal(said, Score().ToJsonString());
        world.Input = null;
    }

    [Theory]
    [InlineData(2, "name a text, a file with --file, or pipe one in")]
    [InlineData(2, "both a text and --file are given", "a", "--file", "b")]
    [InlineData(2, "--user is given without --run", "a b", "--user", "u")]
    [InlineData(2, "nowhere holds no recipe.yaml", "a b", "--run", "nowhere")]
    [InlineData(1, "has no adapter of user 'nobody'", "a b", "--run", "undisturbed", "--user", "nobody")]
    [InlineData(1, "expected an adapter with", "a b", "--model", "model", "--adapter", "data")]
    [InlineData(2, "too few tokens", "")]
    public void What_cannot_be_scored_says_why(int code, string message, params string[] args)
    {
        Assert.Equal(code, world.RunCommand(default, ["score", .. args]));
        Assert.Contains(message, world.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("int8", .5)]
    [InlineData("q4", 3)]
    public void Rounded_weights_come_with_a_warning_and_score_nearly_the_same(string dtype, double tolerance)
    {
        var exact = Score("It rains again", "--decode-dtype", "bf16");
        Assert.DoesNotContain("lossy", world.Error, StringComparison.Ordinal);
        var rounded = Score("It rains again", "--decode-dtype", dtype);
        Assert.Contains($"cope: {dtype} weights are lossy", world.Error, StringComparison.Ordinal);
        Assert.Equal((double)exact["sum"]!["base"]!, (double)rounded["sum"]!["base"]!, tolerance);
        Assert.NotEqual((double)exact["sum"]!["base"]!, (double)rounded["sum"]!["base"]!);
        Assert.NotEqual(0, world.RunCommand(default, "score", "It rains again", "--decode-dtype", "int4"));
        Assert.Contains(
            "--decode-dtype is 'int4'; it must be one of auto, bf16, fp32, int8, q4",
            world.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Auto_weights_are_float32_only_where_a_small_model_would_be_upcast_anyway()
    {
        string ScoreIn(string dtype) => Score("It rains again", "--decode-dtype", dtype).ToJsonString();
        var isUpcast = MatrixProduct.UpcastsBf16(torch.CPU);

        Assert.Equal(ScoreIn(isUpcast ? "fp32" : "bf16"), ScoreIn("auto"));
        Assert.NotEqual(ScoreIn("fp32"), ScoreIn("bf16"));
    }

    [Fact]
    public void A_run_made_in_another_number_type_predicts_with_int8_weights_and_nothing_before_is_out_of_date()
    {
        Assert.Equal(0, world.RunAll("mixed"));
        Assert.True(
            world.RunCommand(
                default,
                "predict",
                "--run",
                "mixed",
                "--method",
                "cope",
                "--method",
                "tam",
                "--decode-dtype",
                "int8"
            ) == 0,
            world.Error
        );
        Assert.Contains("int8 weights are lossy", world.Output + world.Error, StringComparison.Ordinal);
        Assert.Contains("  dtype: int8", File.ReadAllText(world.RunAt("mixed").Recipe), StringComparison.Ordinal);
        Assert.Equal(0, world.RunCommand(default, "predict", "--run", "mixed", "--method", "cope"));
        Assert.DoesNotContain("lossy", world.Output + world.Error, StringComparison.Ordinal); // done already
    }

    [Theory]
    [InlineData("int8")]
    [InlineData("q4")]
    public void A_run_trains_and_predicts_with_rounded_weights(string dtype)
    {
        File.Copy(world.PathOf("recipe.yaml"), world.PathOf($"{dtype}.yaml"), overwrite: true);
        var code = world.RunCommand(
            default,
            "run",
            $"{dtype}.yaml",
            "--run",
            dtype,
            "--decode-dtype",
            dtype,
            "--set",
            $"model_dtype={dtype}"
        );
        Assert.True(code == 0, world.Error);
        Assert.Contains($"{dtype} weights are lossy", world.Output + world.Error, StringComparison.Ordinal);
        Assert.Contains($"model_dtype: {dtype}", File.ReadAllText(world.RunAt(dtype).Recipe), StringComparison.Ordinal);
        Assert.True(File.Exists(world.RunAt(dtype).Results));
    }
}
