using System.Text.Json.Nodes;
using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Cli.Tests.Verbs;

[Collection("torch")]
public sealed class ModelVerbTests : IDisposable
{
    readonly InProcessCommand _cope = new();

    public ModelVerbTests()
    {
        using var model = TinyModels.Random(TinyModels.Plain);
        ModelFolder.Save(_cope.At("tiny"), model.Config, model.Weights, ScalarType.BFloat16);
    }

    public void Dispose() => _cope.Dispose();

    [Fact]
    public void Info_shows_sizes_adapters_and_stages_within_80_columns()
    {
        Assert.Equal(0, _cope.Run("model", "info", "tiny", "--length", "64"));
        foreach (
            var shown in (string[])
                [
                    "llama, 2 layers, width 16",
                    "4 heads of 6, 2 for keys and values",
                    "5.3 k (5,328)",
                    "tensors in bfloat16",
                    "no license file",
                    "train dpo",
                    "user, all layers",
                    "64 tokens each",
                ]
        )
        {
            Assert.Contains(shown, _cope.Output, StringComparison.Ordinal);
        }

        Assert.All(_cope.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));
    }

    [Fact]
    public void Info_estimates_every_family_by_its_own_layers()
    {
        foreach (var folder in GoldenFolders.Entries("models", "*"))
        {
            Assert.Equal(0, _cope.Run("model", "info", folder, "--length", "64", "--json"));
            var json = JsonNode.Parse(_cope.Output)!;
            using var model = CausalLm.Load(folder);
            foreach (var adapter in json["adapters"]!.AsArray())
            {
                var lora = new LoraConfig
                {
                    Rank = (int)adapter!["rank"]!,
                    TargetModules = [.. adapter["target_modules"]!.AsArray().Select(target => (string)target!)],
                };
                using var bank = AdapterBank.Create(model.Config, lora, [1]);
                Assert.Equal(bank.Parameters().Sum(factor => factor.numel()), (long)adapter["parameters"]!);
            }

            Assert.All(json["stages"]!.AsArray(), stage => Assert.True((long)stage!["bytes"]! > 170_000_000));
            Assert.Equal(0, _cope.Run("model", "info", folder));
        }
    }

    [Fact]
    public void Info_as_JSON_gives_the_same_sizes_worked_by_hand()
    {
        Assert.Equal(0, _cope.Run("model", "info", "tiny", "--length", "10", "--batch", "3", "--rank", "2", "--json"));
        var json = JsonNode.Parse(_cope.Output)!;
        Assert.Equal(640 + 2 * 2336 + 16, (int)json["parameters"]!); // as worked in ModelInfoTests
        Assert.Equal("bfloat16", (string)json["dtype"]!);
        var adapters = json["adapters"]!
            .AsArray()
            .ToDictionary(adapter => (string)adapter!["name"]!, adapter => (int)adapter!["parameters"]!);
        Assert.Equal(2 * (80 + 56), adapters["user"]); // q: 2 * (16 + 24), v: 2 * (16 + 12), in 2 layers
        Assert.Equal(2 * (80 + 56 + 56 + 80), adapters["task"]); // and k as v, o as q
        var stages = json["stages"]!
            .AsArray()
            .ToDictionary(stage => (string)stage!["stage"]!, stage => (long)stage!["bytes"]!);
        var size = (string)json["compute_dtype"]! == "float32" ? 4 : 2;
        var passes = (int)json["parallel_passes"]!;
        var weights = 170_000_000 + size * 5328;
        // Weights, cache of 2 * 2 * 2 * 6 numbers a token, a row of logits, one layer's 4 * 24 * 2 + 42 * 16 bytes for
        // each of 30 prompt tokens.
        var batches = Math.Min(3, passes);
        var rowsOfBatch = (3 + batches - 1) / batches;
        var prompts = batches * rowsOfBatch * 10 * (96 * size + 672);
        Assert.Equal(weights + 3 * (10 * 48 * size + 160) + prompts, stages["negatives sample"]);
        Assert.True(stages["train dpo"] > stages["train sft"] && stages["train sft"] > stages["negatives sample"]);
        // Weights, 16 bytes for each of an adapter's weights, both layers' of 3 pairs of 10 + 10 tokens, 4 * 4 bytes
        // for each of 40 words at 20 labels a pair.
        Assert.Equal(weights + 16 * 2 * (80 + 56) + 2 * 60 * (96 * size + 672) + 16 * 60 * 40, stages["train dpo"]);
    }

    [Fact]
    public void A_batch_larger_than_the_passes_side_by_side_needs_no_more_memory_than_these()
    {
        Assert.Equal(0, _cope.Run("model", "info", "tiny", "--json"));
        var passes = (int)JsonNode.Parse(_cope.Output)!["parallel_passes"]!;
        var bytes = new Dictionary<int, long>();
        foreach (var times in (int[])[4, 20, 200]) // of 512 tokens, where a pass has 2,048
        {
            var batch = times * passes;
            Assert.Equal(0, _cope.Run("model", "info", "tiny", "--length", "512", "--batch", $"{batch}", "--json"));
            bytes[times] = (long)
                JsonNode.Parse(_cope.Output)!["stages"]!
                    .AsArray()
                    .First(stage => (string)stage!["stage"]! == "train sft")!["bytes"]!;
        }
        Assert.Equal((bytes[4], bytes[4]), (bytes[20], bytes[200]));
    }

    [Theory]
    [InlineData(2, "--length is 4096, but the model's context is 2048", "--length", "4096")]
    [InlineData(2, "--batch is 0, expected 1 to", "--batch", "0")]
    public void Numbers_that_make_no_sense_are_usage_errors(int code, string message, params string[] options)
    {
        Assert.Equal(code, _cope.Run(["model", "info", "tiny", .. options]));
        Assert.Contains(message, Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_is_not_supported_is_refused_by_name_before_any_weight_is_looked_at()
    {
        Directory.CreateDirectory(_cope.At("moe"));
        File.WriteAllText(
            _cope.At("moe/config.json"),
            """{"model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "num_local_experts": 8}"""
        );
        foreach (
            var verb in (string[][])
                [
                    ["model", "info", "moe"],
                    ["score", "text", "--model", "moe"],
                    ["model", "merge", "moe", "adapter", "--output", "merged"],
                ]
        )
        {
            Assert.Equal(1, _cope.Run(verb));
            Assert.Contains(
                "model_type: mixtral is not supported; supported: llama",
                Assert.Single(_cope.ErrorLines),
                StringComparison.Ordinal
            );
        }
    }

    [Theory]
    [InlineData("model.safetensors", -4, "model.norm.weight: data ends at byte")]
    [InlineData("model.safetensors", 100, "model.safetensors: says that its header has")]
    [InlineData("model.safetensors", 0, "model.safetensors: has 0 bytes")]
    [InlineData("config.json", 20, "config.json: line 2, column")]
    public void A_damaged_model_is_one_clear_line_in_every_verb_that_opens_it(string file, int length, string expected)
    {
        using (var stream = File.OpenWrite(_cope.At("tiny/" + file)))
        {
            stream.SetLength(length > 0 ? length : stream.Length * (length < 0 ? 1 : 0) + length);
        }

        foreach (
            var verb in (string[][])
                [
                    ["model", "info", "tiny"],
                    ["score", "text", "--model", "tiny"],
                ]
        )
        {
            Assert.Equal(1, _cope.Run(verb));
            Assert.Contains(
                expected,
                Assert.Single(_cope.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public void A_merge_without_an_output_or_an_adapter_says_what_is_missing()
    {
        Assert.Equal(2, _cope.Run("model", "merge", "tiny", "adapter"));
        Assert.Contains("--output", _cope.Error, StringComparison.Ordinal);
        Assert.Equal(1, _cope.Run("model", "merge", "tiny", "adapter", "--output", "merged"));
        Assert.Contains(
            "expected an adapter with adapter_config.json",
            Assert.Single(_cope.ErrorLines),
            StringComparison.Ordinal
        );
        Assert.False(Directory.Exists(_cope.At("merged")));
    }

    [Theory]
    [InlineData("q4")]
    [InlineData("int8")]
    public void Quantize_writes_a_folder_that_scores_as_the_model_rounded_at_the_start_does(string dtype)
    {
        var tiny = Path.Combine(AppContext.BaseDirectory, "models", "cope-tiny");
        Assert.Equal(0, _cope.Run("model", "quantize", tiny, "--to", dtype, "--output", dtype));
        Assert.Contains("lossy", _cope.Error, StringComparison.Ordinal);
        Assert.Equal(_cope.At(dtype), _cope.Output.Trim());

        Assert.Equal(0, _cope.Run("score", "It rains", "--model", dtype, "--json"));
        var written = JsonNode.Parse(_cope.Output)!["sum"]!.ToJsonString();
        Assert.Equal(0, _cope.Run("score", "It rains", "--model", tiny, "--decode-dtype", dtype, "--json"));
        Assert.Equal(JsonNode.Parse(_cope.Output)!["sum"]!.ToJsonString(), written);

        Assert.NotEqual(0, _cope.Run("score", "It rains", "--model", dtype, "--decode-dtype", "bf16"));
        Assert.Contains($"is rounded to {dtype}", _cope.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, _cope.Run("model", "quantize", tiny, "--to", dtype, "--output", dtype));
        Assert.Contains("holds files already", _cope.Error, StringComparison.Ordinal);
    }
}
