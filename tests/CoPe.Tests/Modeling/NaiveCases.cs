namespace CoPe.Tests.Modeling;

/// <summary>
/// Configurations of every family with the keys that transformers reads for it, beside <see cref="Sizes"/>, by what
/// they are.
/// </summary>
static class NaiveCases
{
    public const string Sizes = """
        "vocab_size": 50, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 4,
        "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-6
        """;

    public static readonly IReadOnlyDictionary<string, string> All = new Dictionary<string, string>(
        StringComparer.Ordinal
    )
    {
        ["llama with heads of their own width and every bias"] =
            """ "model_type": "llama", "head_dim": 10, "attention_bias": true, "mlp_bias": true, "rope_theta": 5e5 """,
        ["llama with linear scaling under its old name, one key head a query head"] = """
            "model_type": "llama", "num_key_value_heads": null, "rope_scaling": {"type": "linear", "factor": 2.5}
            """,
        ["llama 3.2: tied, all three branches of its scaling"] = """
            "model_type": "llama", "head_dim": 8, "tie_word_embeddings": true, "rope_theta": 10000.0,
            "rope_scaling": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64}
            """,
        ["llama as transformers 5 writes it"] = """
            "model_type": "llama", "head_dim": 8, "dtype": "float32",
            "rope_parameters": {"rope_theta": 20000.0, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 100}
            """,
        ["mistral without a window"] = """ "model_type": "mistral", "sliding_window": null, "rope_theta": 1e6 """,
        ["mistral with a window in every layer"] =
            """ "model_type": "mistral", "head_dim": 12, "sliding_window": 5, "rope_theta": 1e6 """,
        ["mistral without key heads of their own number"] =
            """ "model_type": "mistral", "num_key_value_heads": null, "sliding_window": 7 """,
        ["qwen2 that slides from its third layer on"] = """
            "model_type": "qwen2", "tie_word_embeddings": true, "use_sliding_window": true, "sliding_window": 4,
            "max_window_layers": 2
            """,
        ["qwen2 whose window is switched off"] = """
            "model_type": "qwen2", "use_sliding_window": false, "sliding_window": 4, "max_window_layers": 2,
            "rope_theta": 1e6
            """,
        ["qwen3"] = """
            "model_type": "qwen3", "head_dim": 16, "tie_word_embeddings": true, "rope_theta": 1e6,
            "max_window_layers": 4
            """,
        ["qwen3 with biases and layers by type"] = """
            "model_type": "qwen3", "head_dim": 16, "attention_bias": true, "use_sliding_window": true,
            "sliding_window": 6,
            "layer_types": ["full_attention", "sliding_attention", "full_attention", "sliding_attention"]
            """,
        ["gemma 3 with linear scaling of the layers that see everything"] = """
            "model_type": "gemma3_text", "head_dim": 16, "query_pre_attn_scalar": 24, "sliding_window": 5,
            "sliding_window_pattern": 2, "rope_theta": 1e6, "rope_local_base_freq": 1e4,
            "rope_scaling": {"rope_type": "linear", "factor": 8.0}
            """,
        ["gemma 3 as transformers 5 writes it, untied"] = """
            "model_type": "gemma3_text", "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 5,
            "tie_word_embeddings": false,
            "layer_types": ["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"],
            "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 5e5},
            "sliding_attention": {"rope_type": "default", "rope_theta": 3e3}}
            """,
        ["llama with a gate of GELU, extended by YaRN with a ramp that is not rounded"] = """
            "model_type": "llama", "hidden_act": "gelu", "max_position_embeddings": 64, "rope_scaling":
            {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "truncate": false,
            "beta_fast": 8, "beta_slow": 2}
            """,
        ["llama with a gate of ReLU, extended by YaRN with two scales of attention"] = """
            "model_type": "llama", "hidden_act": "relu", "max_position_embeddings": 4096, "rope_scaling":
            {"type": "yarn", "factor": 8.0, "original_max_position_embeddings": 32, "mscale": 0.7,
            "mscale_all_dim": 1.3}
            """,
        ["llama with LongRoPE of a factor, whose scaling comes before its parameters"] = """
            "model_type": "llama", "hidden_act": "gelu_new", "rope_parameters": {"rope_type": "default",
            "rope_theta": 100.0}, "rope_theta": 3e3, "rope_scaling": {"rope_type": "longrope", "factor": 6.0,
            "original_max_position_embeddings": 5, "short_factor": [1, 1, 1.5], "long_factor": [1, 2, 4]}
            """,
        ["qwen2 extended by YaRN, as its cards have it"] = """
            "model_type": "qwen2", "max_position_embeddings": 16, "use_sliding_window": false,
            "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 16, "type": "yarn"}
            """,
        ["gemma 3 with capped logits"] = """
            "model_type": "gemma3_text", "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 5,
            "sliding_window_pattern": 2, "final_logit_softcapping": 4.0
            """,
        ["gemma 2 by its defaults"] =
            """ "model_type": "gemma2", "head_dim": 8, "query_pre_attn_scalar": 20, "sliding_window": 6 """,
        ["gemma 2 without caps, with biases, layers by type, scaled, untied"] = """
            "model_type": "gemma2", "head_dim": 10, "query_pre_attn_scalar": 8, "sliding_window": 4,
            "attn_logit_softcapping": null, "final_logit_softcapping": null, "attention_bias": true,
            "tie_word_embeddings": false, "rope_scaling": {"rope_type": "linear", "factor": 3.0},
            "layer_types": ["full_attention", "sliding_attention", "sliding_attention", "full_attention"]
            """,
        ["gemma 2 with hard caps and no window"] = """
            "model_type": "gemma2", "head_dim": 8, "sliding_window": null, "attn_logit_softcapping": 0.5,
            "final_logit_softcapping": 2, "hidden_activation": "gelu"
            """,
        ["granite with every bias and heads of their own width"] = """
            "model_type": "granite", "head_dim": 10, "attention_bias": true, "mlp_bias": true,
            "embedding_multiplier": 12, "attention_multiplier": 0.2, "residual_multiplier": 0.22, "logits_scaling": 8
            """,
        ["granite by its defaults, scaled as llama 3"] = """
            "model_type": "granite", "tie_word_embeddings": true, "attention_multiplier": 0.3, "rope_theta": 5e6,
            "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64}
            """,
        ["phi 3 with a window and whole rotation"] = """
            "model_type": "phi3", "sliding_window": 7, "original_max_position_embeddings": 4096
            """,
        ["phi 3 whose texts are long for LongRoPE, half rotated, tied"] = """
            "model_type": "phi3", "head_dim": 12, "partial_rotary_factor": 0.5, "tie_word_embeddings": true,
            "original_max_position_embeddings": 5, "max_position_embeddings": 128, "rope_scaling":
            {"type": "longrope", "short_factor": [1, 1, 1.2], "long_factor": [1, 3, 9]}
            """,
        ["phi 3 whose texts are short for LongRoPE, under its first name"] = """
            "model_type": "phi3", "sliding_window": null, "original_max_position_embeddings": 64,
            "max_position_embeddings": 256, "rope_scaling": {"type": "su", "short_factor": [1, 1.1, 1.2],
            "long_factor": [1, 3, 9]}
            """,
        ["phi 3 as transformers 5 writes it"] = """
            "model_type": "phi3", "head_dim": 8, "rope_parameters": {"rope_type": "default", "rope_theta": 500.0,
            "partial_rotary_factor": 0.75}, "original_max_position_embeddings": 4096
            """,
        ["olmo 2 with biases, scaled"] = """
            "model_type": "olmo2", "attention_bias": true, "rope_theta": 5e5, "rope_scaling":
            {"rope_type": "linear", "factor": 2.0}
            """,
        ["olmo 2 with heads of their own width, one key head a query head, tied"] = """
            "model_type": "olmo2", "head_dim": 10, "num_key_value_heads": 4, "tie_word_embeddings": true
            """,
        ["olmo 3 by its pattern, full layers scaled as llama 3"] = """
            "model_type": "olmo3", "sliding_window": 5, "attention_bias": true, "rope_scaling":
            {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64}
            """,
        ["olmo 3 with layers by type, extended by YaRN"] = """
            "model_type": "olmo3", "head_dim": 8, "sliding_window": 4, "max_position_embeddings": 64,
            "layer_types": ["full_attention", "sliding_attention", "full_attention", "full_attention"],
            "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16,
            "attention_factor": 1.3}
            """,
        ["smollm 3 by its defaults"] = """ "model_type": "smollm3" """,
        ["smollm 3 with biases, whose layers without rotation slide"] = """
            "model_type": "smollm3", "head_dim": 8, "attention_bias": true, "mlp_bias": true, "sliding_window": 5,
            "use_sliding_window": true, "no_rope_layers": [1, 0, 0, 1], "tie_word_embeddings": false
            """,
        ["smollm 3 with layers by type and another interval, extended by YaRN"] = """
            "model_type": "smollm3", "no_rope_layer_interval": 3, "use_sliding_window": true, "sliding_window": 6,
            "layer_types": ["sliding_attention", "full_attention", "full_attention", "sliding_attention"],
            "rope_scaling": {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 16}
            """,
        ["exaone 4 without a window, tied"] = """
            "model_type": "exaone4", "sliding_window": null, "tie_word_embeddings": true, "rope_theta": 1e6,
            "rope_scaling": {"rope_type": "llama3", "factor": 16.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64}
            """,
        ["exaone 4 by another pattern, with heads of their own width"] = """
            "model_type": "exaone4", "head_dim": 10, "sliding_window": 5, "sliding_window_pattern": 2
            """,
        ["glm 4 with biases, tied"] = """
            "model_type": "glm4", "head_dim": 8, "attention_bias": true, "tie_word_embeddings": true
            """,
        ["glm 4 that rotates a quarter, as transformers 5 writes it"] = """
            "model_type": "glm4", "head_dim": 16, "rope_parameters": {"rope_type": "default", "rope_theta": 700.0,
            "partial_rotary_factor": 0.25}
            """,
        ["glm 4 that rotates everything, scaled"] = """
            "model_type": "glm4", "head_dim": 8, "partial_rotary_factor": 1.0, "rope_scaling":
            {"rope_type": "linear", "factor": 2.0}
            """,
        ["ministral 3 with a window, whose queries grow by position"] = """
            "model_type": "ministral3", "head_dim": 12, "sliding_window": 7, "max_position_embeddings": 64,
            "rope_parameters": {"rope_type": "yarn", "type": "yarn", "rope_theta": 1e6, "factor": 16.0,
            "original_max_position_embeddings": 4, "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0,
            "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.3}
            """,
        ["ministral 3 without YaRN"] = """
            "model_type": "ministral3", "head_dim": 8, "tie_word_embeddings": true, "rope_parameters":
            {"rope_type": "default", "rope_theta": 1e4, "original_max_position_embeddings": 4,
            "llama_4_scaling_beta": 0.2}
            """,
        ["mistral small in its wrapper"] = """
            "model_type": "mistral3", "text_config": {"model_type": "mistral", "head_dim": 12,
            "sliding_window": null, "rope_theta": 1e6}
            """,
        ["ministral 3 in its wrapper, tied there"] = """
            "model_type": "mistral3", "tie_word_embeddings": true, "text_config": {"model_type": "ministral3",
            "head_dim": 8, "rope_parameters": {"rope_type": "yarn", "rope_theta": 1e5, "factor": 4.0,
            "original_max_position_embeddings": 16, "llama_4_scaling_beta": 0.1}}
            """,
    };
}
