using System.Text.Json.Nodes;
using CoPe.Modeling;
using CoPe.Testing;
using TorchSharp;

namespace CoPe.Tests.Modeling;

public class DecoderConfigTests
{
    internal const string Sizes = """
        "vocab_size": 100, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 4,
        "num_attention_heads": 4, "num_key_value_heads": 2
        """;

    internal static DecoderConfig Read(string keys, string? generation = null)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("config.json"), $"{{{keys}}}");
        if (generation is not null)
        {
            File.WriteAllText(folder.At("generation_config.json"), generation);
        }

        return DecoderConfig.Read(folder.Path);
    }

    [Theory]
    [InlineData("compression_config", "{}")]
    [InlineData("a_switch_of_next_year", "true")]
    [InlineData("rotary_pct", "0.5")]
    [InlineData("use_mrope", "true")]
    [InlineData("quantization_config", "{\"bits\": 4}")]
    public void A_key_that_is_not_known_to_be_harmless_is_refused_by_name(string key, string value)
    {
        var error = Assert.Throws<ModelFileException>(() =>
            Read($$""" "model_type": "llama", {{Sizes}}, "{{key}}": {{value}} """)
        );
        Assert.Contains(key, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("compression_config", "null")]
    [InlineData("rotary_pct", "1.0")]
    [InlineData("use_mrope", "false")]
    [InlineData("pruned_heads", "{}")]
    [InlineData("_attn_implementation_autoset", "true")]
    [InlineData("temperature", "0.6")]
    public void A_key_that_changes_nothing_passes(string key, string value) =>
        Assert.NotNull(Read($$""" "model_type": "llama", {{Sizes}}, "{{key}}": {{value}} """));

    /// <summary>As in transformers 5.</summary>
    [Theory]
    [InlineData("\"rope_scaling\": { \"type\": \"linear\", \"factor\": 4 }", 10000, 4)]
    [InlineData("\"rope_theta\": 6000, \"rope_scaling\": { \"type\": \"linear\", \"factor\": 4 }", 6000, 4)]
    [InlineData(
        "\"rope_theta\": 6000, \"rope_scaling\": { \"type\": \"linear\", \"factor\": 4, \"rope_theta\": 7000 }",
        7000,
        4
    )]
    [InlineData("\"rope_theta\": 6000, \"rope_scaling\": {}", 5000, 2)]
    [InlineData("\"rope_theta\": 6000", 5000, 2)]
    public void Where_both_rotary_keys_stand_the_older_one_takes_the_place_of_the_newer(
        string keys,
        double theta,
        double factor
    )
    {
        var config = Read(
            $$"""
             "model_type": "llama", {{Sizes}},
             "rope_parameters": { "rope_theta": 5000, "rope_type": "linear", "factor": 2 }, {{keys}}
            """
        );
        Assert.Equal((theta, RopeScaling.Linear, factor), (config.Rope.Theta, config.Rope.Scaling, config.Rope.Factor));
    }

    [Theory]
    [InlineData("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 4}", 5000, 4, 300)]
    [InlineData("\"rope_theta\": 6000, \"rope_local_base_freq\": 700", 5000, 1, 300)]
    [InlineData(
        "\"rope_parameters\": {\"full_attention\": {}}, \"rope_theta\": 60, \"rope_local_base_freq\": 7",
        60,
        1,
        7
    )]
    public void The_objects_of_gemma_3_s_layer_types_come_before_the_keys_beside_them(
        string keys,
        double theta,
        double factor,
        double sliding
    )
    {
        var both = """
            "rope_parameters": {"full_attention": {"rope_theta": 5000}, "sliding_attention": {"rope_theta": 300}},
            """;
        var parameters = keys.Contains("rope_parameters", StringComparison.Ordinal) ? "" : both;

        var config = Read($$""" "model_type": "gemma3_text", {{Sizes}}, "head_dim": 16, {{parameters}} {{keys}} """);

        Assert.Equal((theta, factor, sliding), (config.Rope.Theta, config.Rope.Factor, config.SlidingRope!.Theta));
    }

    [Fact]
    public void Llama_3_keys_are_read()
    {
        var config = Read(
            $$"""
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", {{Sizes}}, "rms_norm_eps": 1e-5,
            "rope_theta": 500000.0, "torch_dtype": "bfloat16", "eos_token_id": [7, 8],
            "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
            "original_max_position_embeddings": 8192, "rope_type": "llama3"}
            """
        );
        Assert.Equal(8, config.HeadDim);
        Assert.Equal(
            new RopeConfig
            {
                Theta = 5e5,
                Scaling = RopeScaling.Llama3,
                Factor = 32,
                LowFrequencyFactor = 1,
                HighFrequencyFactor = 4,
                OriginalMaxPositions = 8192,
            },
            config.Rope
        );
        Assert.Equal(torch.ScalarType.BFloat16, config.Dtype);
        Assert.Equal([7, 8], config.StopTokenIds);
        Assert.False(config.TiedHead);
        Assert.False(config.IsSliding(0));
    }

    [Theory]
    [InlineData("""{"eos_token_id": 3}""", 3)]
    [InlineData("""{"eos_token_id": [3, 9]}""", 3, 9)]
    [InlineData("{}", 2)]
    public void Stop_ids_of_the_generation_config_come_first(string generation, params int[] expected) =>
        Assert.Equal(
            expected,
            Read($$""" "model_type": "llama", {{Sizes}}, "eos_token_id": 2 """, generation).StopTokenIds
        );

    [Theory]
    [InlineData("", 4096)]
    [InlineData(", \"sliding_window\": 16", 16)]
    [InlineData(", \"sliding_window\": null", null)]
    public void Mistral_slides_everywhere_unless_the_window_is_null(string keys, int? window)
    {
        var config = Read($$""" "model_type": "mistral", {{Sizes}}{{keys}} """);
        Assert.Equal(window, config.SlidingWindow);
        Assert.Equal(window is not null, config.IsSliding(0) && config.IsSliding(3));
    }

    [Theory]
    [InlineData("\"sliding_window\": 16, \"use_sliding_window\": false, \"max_window_layers\": 2", false, false)]
    [InlineData("\"sliding_window\": 16, \"use_sliding_window\": true, \"max_window_layers\": 2", false, true)]
    public void Qwen2_slides_only_when_switched_on_and_from_the_layer_named(string keys, bool first, bool last)
    {
        var config = Read($$""" "model_type": "qwen2", {{Sizes}}, {{keys}} """);
        Assert.Equal((first, last), (config.IsSliding(1), config.IsSliding(2)));
        Assert.True(config.QueryKeyValueBias);
        Assert.False(config.OutputBias);
    }

    [Fact]
    public void Qwen3_norms_queries_and_keys_and_has_heads_of_128() =>
        Assert.Equal(
            (true, 128, false),
            Read($$""" "model_type": "qwen3", {{Sizes}} """) is var c
                ? (c.QueryKeyNorm, c.HeadDim, c.QueryKeyValueBias)
                : default
        );

    [Theory]
    [InlineData(
        "\"sliding_window\": 8, \"sliding_window_pattern\": 2, \"rope_theta\": 1e6, "
            + "\"rope_local_base_freq\": 1e4, \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 8.0}"
    )]
    [InlineData(
        "\"sliding_window\": 8, \"_sliding_window_pattern\": 2, \"rope_scaling\": {\"type\": \"linear\", "
            + "\"factor\": 8.0}"
    )]
    [InlineData(
        "\"sliding_window\": 8, \"layer_types\": [\"sliding_attention\", \"full_attention\", "
            + "\"sliding_attention\", \"full_attention\"], "
            + "\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"linear\", \"factor\": 8.0, "
            + "\"rope_theta\": 1e6}, \"sliding_attention\": {\"rope_type\": \"default\", \"rope_theta\": 1e4}}"
    )]
    public void Gemma_3_keys_old_and_new_mean_the_same(string keys)
    {
        var config = Read($$""" "model_type": "gemma3_text", {{Sizes}}, "head_dim": 16, {{keys}} """);
        Assert.Equal([true, false, true, false], Enumerable.Range(0, 4).Select(config.IsSliding));
        Assert.Equal(
            new RopeConfig
            {
                Theta = 1e6,
                Scaling = RopeScaling.Linear,
                Factor = 8,
            },
            config.Rope
        );
        Assert.Equal(new RopeConfig { Theta = 1e4 }, config.SlidingRope);
        Assert.True(config.TiedHead);
        Assert.True(config.NormAddsOne);
        Assert.Equal(LayerNorms.AroundBlocks, config.Norms);
        Assert.True(config.ScaleEmbedding);
        Assert.Equal(256, config.QueryScalar);
        Assert.Equal(Activation.GeluTanh, config.Activation);
    }

    [Fact]
    public void A_checkpoint_with_a_vision_tower_gives_its_text_values_and_the_originals_defaults()
    {
        var config = Read(
            """
            "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "eos_token_id": [1, 106],
            "torch_dtype": "bfloat16",
            "text_config": {"hidden_size": 2560, "intermediate_size": 10240, "model_type": "gemma3_text",
            "num_hidden_layers": 34, "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window": 1024},
            "vision_config": {"hidden_size": 1152}
            """
        );
        Assert.Equal(
            (8, 4, 256, 262208),
            (config.HeadCount, config.KeyValueHeadCount, config.HeadDim, config.VocabSize)
        );
        Assert.Equal([1, 106], config.StopTokenIds);
    }

    [Theory]
    [InlineData("\"model_type\": \"gpt2\"", "gpt2")]
    [InlineData("\"model_type\": \"mixtral\"", "mixtral")]
    [InlineData(
        "\"model_type\": \"llama\", \"architectures\": [\"LlamaForSequenceClassification\"]",
        "LlamaForSequenceClassification"
    )]
    [InlineData(
        "\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4, \"novel\": 1}",
        "novel"
    )]
    [InlineData("\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"yarn\", \"factor\": -4}", "rope_scaling")]
    [InlineData(
        "\"model_type\": \"llama\", \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 4.0}",
        "low_freq_factor"
    )]
    [InlineData("\"model_type\": \"llama\", \"hidden_act\": \"quick_gelu\"", "quick_gelu")]
    [InlineData("\"model_type\": \"llama\", \"quantization_config\": {\"bits\": 4}", "quantization_config")]
    [InlineData("\"model_type\": \"qwen3\", \"num_experts\": 8", "num_experts")]
    [InlineData("\"model_type\": \"llama\", \"final_logit_softcapping\": 30.0", "final_logit_softcapping")]
    [InlineData("\"model_type\": \"phi3\", \"attention_bias\": true", "attention_bias: true is not supported")]
    [InlineData("\"model_type\": \"exaone4\", \"attention_bias\": true", "attention_bias: true is not supported")]
    [InlineData("\"model_type\": \"olmo2\", \"mlp_bias\": true", "mlp_bias: true is not supported")]
    [InlineData("\"model_type\": \"olmo3\", \"sliding_window_pattern\": 2", "sliding_window_pattern")]
    [InlineData("\"model_type\": \"llama\", \"torch_dtype\": \"float8_e4m3fn\"", "float8_e4m3fn")]
    [InlineData("\"model_type\": \"llama\", \"head_dim\": 7", "head_dim")]
    [InlineData("\"model_type\": \"llama\", \"num_key_value_heads\": 3", "num_key_value_heads")]
    [InlineData("\"model_type\": \"llama\", \"hidden_size\": \"wide\"", "hidden_size")]
    [InlineData("\"model_type\": \"llama\", \"num_hidden_layers\": 0", "num_hidden_layers")]
    [InlineData("\"model_type\": \"mistral\", \"num_hidden_layers\": 2000000000", "num_hidden_layers")]
    [InlineData("\"model_type\": \"mistral\", \"num_hidden_layers\": -1", "num_hidden_layers")]
    [InlineData("\"model_type\": \"llama\", \"head_dim\": 1073741824", "head_dim")]
    [InlineData("\"model_type\": \"llama\", \"partial_rotary_factor\": 0.5", "partial_rotary_factor")]
    [InlineData(
        "\"model_type\": \"mistral\", \"sliding_window\": 8, \"layer_types\": [\"chunked_attention\", \"a\", "
            + "\"b\", \"c\"]",
        "chunked_attention"
    )]
    [InlineData(
        "\"model_type\": \"mistral\", \"sliding_window\": 8, \"layer_types\": [\"sliding_attention\", "
            + "\"full_attention\", \"sliding_attention\", \"full_attention\"]",
        "full_attention"
    )]
    [InlineData("\"model_type\": \"qwen2\", \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2.0}", "dynamic")]
    [InlineData(
        "\"model_type\": \"llama\", \"rope_parameters\": {\"rope_type\": \"longrope\", \"rope_theta\": 1e4}",
        "rope_scaling.short_factor"
    )]
    [InlineData(
        "\"model_type\": \"phi3\", "
            + "\"rope_scaling\": {\"type\": \"longrope\", \"short_factor\": [1, 1], \"long_factor\": [1, 1, 1, 1]}",
        "rope_scaling.short_factor: has 2 numbers; expected 4"
    )]
    [InlineData(
        "\"model_type\": \"gemma3_text\", "
            + "\"rope_parameters\": {\"full_attention\": {\"rope_type\": \"dynamic\", \"factor\": 2.0}, "
            + "\"sliding_attention\": {}}",
        "dynamic"
    )]
    [InlineData(
        "\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2, \"attention_factor\": 3}",
        "attention_factor"
    )]
    [InlineData(
        "\"model_type\": \"llama\", \"rope_parameters\": {\"rope_type\": \"default\", \"novel\": true}",
        "rope_scaling.novel"
    )]
    [InlineData(
        "\"model_type\": \"llama\", \"rope_scaling\": {\"rope_type\": \"default\", \"type\": \"linear\"}",
        "rope_scaling.type: linear"
    )]
    [InlineData(
        "\"model_type\": \"llama\", \"num_hidden_layers\": 1, \"layer_types\": [\"sliding_attention\"]",
        "layer_types: sliding_attention"
    )]
    [InlineData(
        "\"model_type\": \"llama\", \"num_hidden_layers\": 1, \"layer_types\": [\"linear_attention\"]",
        "layer_types: linear_attention"
    )]
    [InlineData(
        "\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"layer_types\": [\"full_attention\"]",
        "names 1 layers; expected 2"
    )]
    [InlineData("\"model_type\": \"gemma3_text\", \"attn_logit_softcapping\": 50.0", "attn_logit_softcapping")]
    [InlineData("\"model_type\": \"mistral3\"", "text_config")]
    [InlineData("\"model_type\": \"qwen3_moe\"", "qwen3_moe")]
    [InlineData("\"model_type\": \"llama\", \"rope_theta\": 0", "rope_theta")]
    [InlineData("\"model_type\": \"llama\", \"rope_theta\": -1e4", "rope_theta")]
    [InlineData("\"model_type\": \"llama\", \"rope_theta\": 1e300", "rope_theta")]
    [InlineData("\"model_type\": \"llama\", \"rope_theta\": 1e999", "rope_theta")]
    [InlineData("\"model_type\": \"gemma3_text\", \"rope_local_base_freq\": 0", "rope_theta")]
    [InlineData("\"model_type\": \"llama\", \"rope_scaling\": {\"factor\": 2.0}", "rope_scaling.rope_type")]
    [InlineData(
        "\"model_type\": \"llama\", \"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 0}",
        "rope_scaling"
    )]
    [InlineData("\"model_type\": \"llama\", \"max_position_embeddings\": 0", "max_position_embeddings")]
    [InlineData("\"model_type\": \"llama\", \"max_position_embeddings\": -1", "max_position_embeddings")]
    [InlineData("\"model_type\": \"llama\", \"num_attention_heads\": 0", "num_attention_heads")]
    [InlineData("\"model_type\": \"llama\", \"num_attention_heads\": 2.5", "num_attention_heads")]
    [InlineData("\"model_type\": \"llama\", \"num_key_value_heads\": 0", "num_key_value_heads")]
    [InlineData("\"model_type\": \"llama\", \"head_dim\": -2", "head_dim")]
    [InlineData("\"model_type\": \"llama\", \"rms_norm_eps\": 1e999", "rms_norm_eps")]
    [InlineData("\"model_type\": \"llama\", \"rms_norm_eps\": \"NaN\"", "rms_norm_eps")]
    [InlineData("\"model_type\": \"llama\", \"vocab_size\": 4294967296", "vocab_size")]
    [InlineData("\"model_type\": \"mistral\", \"sliding_window\": 0", "sliding_window")]
    [InlineData("\"model_type\": \"mistral\", \"sliding_window\": -1", "sliding_window")]
    public void What_is_not_computed_is_refused_by_name(string keys, string named) => AssertRefused(keys, named);

    internal static void AssertRefused(string keys, string named)
    {
        var json = JsonNode.Parse($"{{{Sizes}}}")!.AsObject();
        foreach (var (key, value) in JsonNode.Parse($"{{{keys}}}")!.AsObject())
        {
            json[key] = value?.DeepClone();
        }

        var error = Assert.Throws<ModelFileException>(() => Read(json.ToJsonString()[1..^1]));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
        Assert.EndsWith("config.json", error.File, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_that_stands_twice_is_refused_by_name() =>
        Assert.Contains(
            "the key \"hidden_size\" stands twice",
            Assert
                .Throws<ModelFileException>(() => Read($"{Sizes}, \"model_type\": \"llama\", \"hidden_size\": 64"))
                .Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("{\"model_type\": \"llama\", \"rms_norm_eps\": NaN}")]
    [InlineData("{\"model_type\": \"llama\", \"rope_theta\": Infinity}")]
    [InlineData("5")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"model_type\": ")]
    [InlineData("")]
    public void A_config_that_is_no_object_is_refused(string text)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("config.json"), text);
        Assert.Throws<ModelFileException>(() => DecoderConfig.Read(folder.Path));
    }

    [Fact]
    public void A_folder_without_a_config_is_refused()
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(
            "is missing",
            Assert.Throws<ModelFileException>(() => DecoderConfig.Read(folder.Path)).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<ModelFileException>(() => DecoderConfig.Read(folder.At("absent")));
    }
}
