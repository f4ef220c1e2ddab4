using System.Text.Json.Nodes;

namespace CoPe.Modeling;

/// <summary>Writes <c>rope_scaling</c> such that <see cref="RopeScalingReader"/> reads the same again.</summary>
static class RopeScalingWriter
{
    /// <summary>Null where there is nothing to say.</summary>
    public static JsonObject? Create(RopeConfig rope, ModelFamily family)
    {
        var json = Create(rope);
        if (family.Rope.QueryScalingBeta != 0)
        {
            json ??= new() { ["rope_type"] = "default" };
            json["original_max_position_embeddings"] = rope.OriginalMaxPositions;
            json["llama_4_scaling_beta"] = rope.QueryScalingBeta;
        }

        return json;
    }

    static JsonObject? Create(RopeConfig rope) =>
        rope.Scaling switch
        {
            RopeScaling.Linear => new() { ["rope_type"] = "linear", ["factor"] = rope.Factor },
            RopeScaling.Llama3 => new()
            {
                ["rope_type"] = "llama3",
                ["factor"] = rope.Factor,
                ["low_freq_factor"] = rope.LowFrequencyFactor,
                ["high_freq_factor"] = rope.HighFrequencyFactor,
                ["original_max_position_embeddings"] = rope.OriginalMaxPositions,
            },
            RopeScaling.Yarn => new()
            {
                ["rope_type"] = "yarn",
                ["factor"] = rope.Factor,
                ["original_max_position_embeddings"] = rope.OriginalMaxPositions,
                ["beta_fast"] = rope.BetaFast,
                ["beta_slow"] = rope.BetaSlow,
                ["truncate"] = rope.RoundsRamp,
                ["attention_factor"] = rope.AttentionFactor,
            },
            RopeScaling.LongRope => new()
            {
                ["rope_type"] = "longrope",
                ["factor"] = rope.Factor,
                ["original_max_position_embeddings"] = rope.OriginalMaxPositions,
                ["short_factor"] = ToArray(rope.ShortFactors),
                ["long_factor"] = ToArray(rope.LongFactors),
                ["attention_factor"] = rope.AttentionFactor,
            },
            _ => null,
        };

    static JsonArray ToArray(IReadOnlyList<double> numbers) =>
        new([.. numbers.Select(number => JsonValue.Create(number))]);
}
