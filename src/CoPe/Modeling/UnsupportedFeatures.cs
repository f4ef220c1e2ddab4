using System.Text.Json;

namespace CoPe.Modeling;

/// <summary>Keys of config.json that ask for something the forward pass does not compute: refused before any weight is read, never ignored.</summary>
static class UnsupportedFeatures
{
    static readonly string[] MustBeAbsent =
    [
        "quantization_config", "num_local_experts", "num_experts", "n_routed_experts", "attn_logit_softcapping", "final_logit_softcapping", "no_rope_layers",
        "attention_chunk_size", "logits_scaling", "residual_multiplier", "embedding_multiplier",
    ];

    static readonly string[] MustBeFalse = ["use_bidirectional_attention", "use_qk_norm", "is_encoder_decoder", "add_cross_attention"];

    public static void Refuse(ConfigJson json)
    {
        foreach (var key in MustBeAbsent)
            if (json.Get(key) is { } value && !IsZero(value)) throw json.Unsupported(key, value.GetRawText(), "absent or null");
        foreach (var key in MustBeFalse)
            if (json.Flag(key) == true) throw json.Unsupported(key, "true", "false");
        if (json.Number("partial_rotary_factor") is { } part and not 1) throw json.Unsupported("partial_rotary_factor", $"{part}", "1");
    }

    static bool IsZero(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number == 0;
}
