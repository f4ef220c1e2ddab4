using CoPe.Modeling;

namespace CoPe.Tests.Modeling;

/// <summary>Configurations of the families, as their files on the hub have them.</summary>
public class FamilyConfigTests
{
    static DecoderConfig Read(string keys) => DecoderConfigTests.Read($"{DecoderConfigTests.Sizes}, {keys}");

    [Fact]
    public void Phi_4_mini_rotates_three_quarters_of_each_head_by_factors_of_the_text_s_length()
    {
        var config = Read(
            """
            "architectures": ["Phi3ForCausalLM"], "attention_bias": false, "embd_pdrop": 0.0, "full_attn_mod": 1,
            "interpolate_factor": 1, "lm_head_bias": false, "max_position_embeddings": 131072, "mlp_bias": false,
            "model_type": "phi3", "original_max_position_embeddings": 4096, "partial_rotary_factor": 0.75,
            "rope_scaling": {"long_factor": [1, 2, 4], "short_factor": [1, 1, 1], "type": "longrope"},
            "sliding_window": 262144, "tie_word_embeddings": true
            """
        );
        var rope = config.Rope;
        Assert.Equal((6, RopeScaling.LongRope, 4096), (rope.GetRotaryDim(8), rope.Scaling, rope.OriginalMaxPositions));
        Assert.Equal(Math.Sqrt(1 + Math.Log(32) / Math.Log(4096)), rope.AttentionFactor, 12);
        Assert.Equal((false, true), (config.IsExtended(4096), config.IsExtended(4097)));
        Assert.True(config.FusedQueryKeyValue && config.FusedGateUp);
    }

    [Theory]
    [InlineData("\"max_position_embeddings\": 32768", 4)] // as Qwen's cards have it: 4.51 would change nothing
    [InlineData("\"max_position_embeddings\": 65536", 4)] // 4.51 would take 2
    public void Yarn_takes_its_factor_whatever_the_context_says(string context, double factor)
    {
        var config = Read(
            $$"""
            "model_type": "qwen2", {{context}},
            "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32768, "type": "yarn"}
            """
        );
        Assert.Equal((factor, 131072), (config.Rope.Factor, config.MaxPositions));
        Assert.Equal(0.1 * Math.Log(factor) + 1, config.Rope.AttentionFactor, 12);
    }

    [Fact]
    public void Yarn_without_a_factor_takes_the_ratio_of_the_contexts() =>
        Assert.Equal(
            8,
            Read(
                """
                "model_type": "llama", "max_position_embeddings": 4096,
                "rope_parameters": {"rope_type": "yarn", "rope_theta": 1e6, "original_max_position_embeddings": 512}
                """
            ).Rope.Factor
        );

    [Fact]
    public void Exaone_4_s_layers_come_from_its_list_whatever_its_pattern_is()
    {
        var config = Read(
            """
            "model_type": "exaone4", "sliding_window": 4096, "sliding_window_pattern": "LLLG",
            "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]
            """
        );
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(config.IsSliding));
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(config.HasRope));
    }

    [Fact]
    public void Exaone_4_without_a_window_rotates_every_layer()
    {
        var config = Read(""" "model_type": "exaone4", "sliding_window": null, "sliding_window_pattern": null """);
        Assert.All(Enumerable.Range(0, 4), layer => Assert.True(config.HasRope(layer) && !config.IsSliding(layer)));
    }

    [Theory]
    [InlineData("", true, true, true, false)]
    [InlineData(", \"no_rope_layer_interval\": 2", true, false, true, false)]
    [InlineData(", \"no_rope_layers\": [0, 1, 1, 1], \"no_rope_layer_interval\": 2", false, true, true, true)]
    public void SmolLM3_rotates_the_layers_with_1(string keys, params bool[] rotated) =>
        Assert.Equal(rotated, Enumerable.Range(0, 4).Select(Read($"\"model_type\": \"smollm3\"{keys}").HasRope));

    [Fact]
    public void Ministral_3_in_its_wrapper_scales_queries_by_position()
    {
        var config = DecoderConfigTests.Read(
            $$$"""
            "architectures": ["Mistral3ForConditionalGeneration"], "dtype": "bfloat16", "image_token_index": 10,
            "model_type": "mistral3", "multimodal_projector_bias": false, "projector_hidden_act": "gelu",
            "spatial_merge_size": 2, "vision_config": {"hidden_size": 8}, "vision_feature_layer": -1,
            "text_config": {{{{DecoderConfigTests.Sizes}}}, "model_type": "ministral3", "sliding_window": null,
            "tie_word_embeddings": true, "rope_parameters": {"beta_fast": 32.0, "beta_slow": 1.0, "factor": 16.0,
            "llama_4_scaling_beta": 0.1, "mscale": 1.0, "mscale_all_dim": 1.0, "rope_theta": 1000000.0,
            "original_max_position_embeddings": 16384, "rope_type": "yarn", "type": "yarn"}}
            """
        );
        var rope = config.Rope;
        Assert.Equal((0.1, 1.0, 16384), (rope.QueryScalingBeta, rope.AttentionFactor, rope.OriginalMaxPositions));
        Assert.Equal(("ministral3", true, 262144), (config.ModelType, config.TiedHead, config.MaxPositions));
    }

    [Theory]
    [InlineData("gemma2", 50.0, 30.0)]
    [InlineData("llama", null, null)]
    public void Soft_caps_that_a_file_leaves_out_are_the_family_s(string type, double? scores, double? logits)
    {
        var config = Read($"\"model_type\": \"{type}\"");
        Assert.Equal((scores, logits), (config.AttentionSoftCap, config.LogitSoftCap));
        var off = Read(""" "model_type": "gemma2", "attn_logit_softcapping": null, "final_logit_softcapping": null """);
        Assert.Equal((null, null), (off.AttentionSoftCap, off.LogitSoftCap));
    }

    [Theory]
    [InlineData("\"model_type\": \"phi3\", \"partial_rotary_factor\": 0.1", "partial_rotary_factor")]
    [InlineData("\"model_type\": \"phi3\", \"partial_rotary_factor\": 1.5", "partial_rotary_factor")]
    [InlineData("\"model_type\": \"phi3\", \"lm_head_bias\": true", "lm_head_bias")]
    [InlineData("\"model_type\": \"llama\", \"embedding_multiplier\": 2", "embedding_multiplier")]
    [InlineData("\"model_type\": \"llama\", \"attention_multiplier\": 0.5", "attention_multiplier")]
    [InlineData("\"model_type\": \"granite\", \"logits_scaling\": 0", "logits_scaling")]
    [InlineData("\"model_type\": \"gemma2\", \"final_logit_softcapping\": -1", "final_logit_softcapping")]
    [InlineData("\"model_type\": \"smollm3\", \"no_rope_layers\": [1, 0]", "no_rope_layers")]
    [InlineData("\"model_type\": \"smollm3\", \"no_rope_layer_interval\": 0", "no_rope_layer_interval")]
    [InlineData("\"model_type\": \"qwen3\", \"no_rope_layers\": [1, 1, 1, 0]", "no_rope_layers")]
    [InlineData(
        "\"model_type\": \"ministral3\", \"rope_parameters\": {\"rope_type\": \"default\"}",
        "rope_scaling.llama_4_scaling_beta"
    )]
    [InlineData(
        "\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"yarn\", \"llama_4_scaling_beta\": 0.1}",
        "llama_4_scaling_beta"
    )]
    [InlineData("\"model_type\": \"mistral3\", \"text_config\": {\"model_type\": \"gpt2\"}", "gpt2")]
    [InlineData(
        "\"model_type\": \"mistral3\", \"text_config\": {\"model_type\": \"ministral3\"}, "
            + "\"quantization_config\": {\"quant_method\": \"fp8\"}",
        "quantization_config"
    )]
    public void What_a_family_cannot_say_is_refused_by_name(string keys, string named) =>
        DecoderConfigTests.AssertRefused(keys, named);
}
