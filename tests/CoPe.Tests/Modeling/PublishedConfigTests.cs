using System.Text.Json.Nodes;
using CoPe.Modeling;
using CoPe.Testing;

namespace CoPe.Tests.Modeling;

/// <summary>
/// Configurations with the keys and values of published models: the number of weights is the published one, and what
/// is not computed is refused by its name.
/// </summary>
public class PublishedConfigTests
{
    static readonly string Factors = string.Join(", ", Enumerable.Repeat("1.1", 48));

    [Theory]
    [InlineData("Llama 3.2 1B", 1_235_814_400)]
    [InlineData("Granite 3.3 2B", 2_533_531_648)]
    [InlineData("Phi-3 mini 4k", 3_821_079_552)]
    [InlineData("Phi-3.5 mini", 3_821_079_552)]
    [InlineData("Phi-4 mini", 3_836_021_760)]
    [InlineData("Phi-4", 14_659_507_200)]
    [InlineData("OLMo 2 1B", 1_484_916_736)]
    [InlineData("Olmo 3 7B", 7_298_011_136)]
    [InlineData("Gemma 2 2B", 2_614_341_888)]
    [InlineData("Gemma 3 1B", 999_885_952)]
    [InlineData("SmolLM3 3B", 3_075_098_624)]
    [InlineData("GLM-4 9B 0414", 9_400_279_040)]
    [InlineData("EXAONE 4.0 1.2B", 1_279_391_488)]
    [InlineData("EXAONE 4.0 32B", 32_003_216_384)]
    [InlineData("Mistral Small 3 24B", 23_572_403_200)]
    [InlineData("Mistral Small 3.1 24B", 23_572_403_200)]
    [InlineData("Qwen2.5 7B, long", 7_615_616_512)]
    [InlineData("Qwen3 8B, long", 8_190_735_360)]
    public void Published_models_have_their_number_of_weights(string name, long weights) =>
        Assert.Equal(weights, ModelInfo.CountParameters(Read(name)));

    [Theory]
    [InlineData("Granite 4.0 micro", "granitemoehybrid")]
    [InlineData("Ministral 3 3B in FP8", "quantization_config")]
    [InlineData("Qwen2.5 7B 1M", "dual_chunk_attention_config")]
    [InlineData("GLM-4 9B chat", "model_type: glm is not supported")]
    [InlineData("Phi-3 small", "phi3small")]
    [InlineData("Gemma 3n", "gemma3n")]
    public void Others_are_refused_by_the_name_of_what_they_need(string name, string named)
    {
        var error = Assert.Throws<ModelFileException>(() => Read(name));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Their_contexts_scales_and_layers_are_read()
    {
        Assert.Equal(131072, Read("Qwen2.5 7B, long").MaxPositions);
        Assert.Equal(131072, Read("Qwen3 8B, long").MaxPositions);
        Assert.Equal((12.0, 0.22, 8.0, 0.015625), Scales(Read("Granite 3.3 2B")));
        var olmo = Read("Olmo 3 7B");
        Assert.Equal((RopeScaling.Yarn, RopeScaling.None), (olmo.Rope.Scaling, olmo.SlidingRope!.Scaling));
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(olmo.IsSliding));
        var smol = Read("SmolLM3 3B");
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(smol.HasRope));
        Assert.Equal((96, 24576), (Read("Phi-4 mini").Rope.GetRotaryDim(128), Read("Phi-4").IntermediateSize + 6656));
        var large = Read("EXAONE 4.0 32B");
        Assert.Equal((true, false), (large.HasRope(0), large.HasRope(3)));
        Assert.True(Read("EXAONE 4.0 1.2B").HasRope(3));

        static (double, double, double, double) Scales(DecoderConfig config) =>
            (
                config.EmbeddingMultiplier,
                config.ResidualMultiplier,
                config.LogitsScaling,
                config.AttentionMultiplier!.Value
            );
    }

    /// <summary>
    /// Whatever stands in one place of a configuration, it is read or refused with the file: nothing else is thrown,
    /// and what is read has frequencies that are numbers.
    /// </summary>
    [Fact]
    public void A_damaged_value_is_read_or_refused_with_its_file()
    {
        string[] damages =
        [
            "null",
            "true",
            "\"\"",
            "\"x\"",
            "-1",
            "0",
            "0.5",
            "7",
            "1e9",
            "1e300",
            "1e999",
            "-1e-300",
            "[]",
            "{}",
            "[null]",
            "[-1, 0]",
            "{\"x\": 1}",
        ];
        using var folder = new TemporaryFolder();
        var refused = 0;
        foreach (var keys in NaiveCases.All.Values)
        {
            var whole = JsonNode.Parse($"{{{keys}}}")!.AsObject();
            var decoder = whole["text_config"] as JsonObject ?? whole;
            foreach (var (key, value) in JsonNode.Parse($"{{{NaiveCases.Sizes}}}")!.AsObject())
            {
                decoder.TryAdd(key, value?.DeepClone());
            }

            foreach (var path in ListPaths(whole).ToList())
            {
                foreach (var damage in damages)
                {
                    refused += IsRefused(folder, Damage(whole, path, damage)) ? 1 : 0;
                }
            }
        }

        Assert.True(refused > 1000, $"{refused} damages were refused.");
    }

    static bool IsRefused(TemporaryFolder folder, JsonObject damaged)
    {
        File.WriteAllText(folder.At("config.json"), damaged.ToJsonString());
        try
        {
            var config = DecoderConfig.Read(folder.Path);
            foreach (var rope in new[] { config.Rope, config.SlidingRope }.OfType<RopeConfig>())
            {
                Assert.All(rope.ComputeFrequencies(config.HeadDim), angle => Assert.True(float.IsFinite(angle)));
            }

            return false;
        }
        catch (ModelFileException e)
        {
            Assert.EndsWith("config.json", e.File, StringComparison.Ordinal);
            return true;
        }
        catch (Exception e) when (e is not Xunit.Sdk.IAssertionException)
        {
            throw new InvalidOperationException($"{damaged.ToJsonString()}: {e.GetType()}: {e.Message}", e);
        }
    }

    static IEnumerable<string[]> ListPaths(JsonObject json) =>
        json.SelectMany(pair =>
            pair.Value is JsonObject inner
                ? ListPaths(inner).Select(path => (string[])[pair.Key, .. path]).Append([pair.Key])
                :
                [
                    [pair.Key],
                ]
        );

    static JsonObject Damage(JsonObject whole, string[] path, string value)
    {
        var damaged = whole.DeepClone().AsObject();
        var place = path[..^1].Aggregate(damaged, (inner, key) => inner[key]!.AsObject());
        place[path[^1]] = JsonNode.Parse(value);
        return damaged;
    }

    static DecoderConfig Read(string name)
    {
        using var folder = new TemporaryFolder();
        var text = PublishedConfigs.All[name].Replace("FACTORS", $"[{Factors}]", StringComparison.Ordinal);
        File.WriteAllText(folder.At("config.json"), $"{{{text}}}");
        return DecoderConfig.Read(folder.Path);
    }
}
