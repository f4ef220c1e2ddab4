using System.Globalization;

namespace CoPe.Modeling;

/// <summary>
/// Reads rotary settings from <c>rope_theta</c> and <c>rope_scaling</c>, or from the newer <c>rope_parameters</c>.
/// </summary>
static class RopeConfigReader
{
    /// <summary>
    /// Of full layers, and of sliding ones where they have their own. Which of several values counts is as in
    /// transformers 5: <c>rope_scaling</c> takes the place of <c>rope_parameters</c>, and a <c>rope_theta</c> in
    /// either comes before the one beside them.
    /// </summary>
    public static (RopeConfig Full, RopeConfig? Sliding) Read(ConfigJson json, ModelFamily family)
    {
        var parameters = json.GetObject("rope_parameters");
        // An empty object says nothing, as in Python.
        var scaling = json.GetObject("rope_scaling") is { } older && older.Keys.Any() ? older : null;
        var full = parameters?.GetObject("full_attention");
        // Beside a scaling only a family with several kinds of layers keeps its parameters.
        var kept = family.SlidingTheta is null ? null : full;
        var theta =
            scaling?.GetDouble("rope_theta")
            ?? (scaling is null ? full ?? parameters : kept)?.GetDouble("rope_theta")
            ?? json.GetDouble("rope_theta")
            ?? family.Rope.Theta;
        var scaled = scaling ?? full ?? parameters;
        var rope = scaled is null
            ? family.Rope with
            {
                Theta = theta,
            }
            : RopeScalingReader.Read(scaled, theta, json, family);
        rope = rope with { PartialRotaryFactor = ReadPartialFactor(scaled, json, family) };
        return (rope, ReadSliding(json, parameters, family, rope));
    }

    /// <summary>Where the file names a base of the angles that is not the one used, in a line.</summary>
    public static IEnumerable<string> FindConflicts(ConfigJson json, DecoderConfig config)
    {
        var scaling = json.GetObject("rope_scaling");
        var parameters = json.GetObject("rope_parameters");
        List<(string Key, double? Theta)> full =
        [
            ("rope_scaling.rope_theta", scaling?.GetDouble("rope_theta")),
            (
                "rope_parameters.rope_theta",
                (parameters?.GetObject("full_attention") ?? parameters)?.GetDouble("rope_theta")
            ),
            ("rope_theta", json.GetDouble("rope_theta")),
        ];
        List<(string Key, double? Theta)> sliding =
        [
            (
                "rope_parameters.sliding_attention.rope_theta",
                parameters?.GetObject("sliding_attention")?.GetDouble("rope_theta")
            ),
            ("rope_local_base_freq", json.GetDouble("rope_local_base_freq")),
        ];
        return
        [
            .. FindConflict("rope_theta", full, config.Rope.Theta),
            .. FindConflict("rope_theta of sliding layers", sliding, config.SlidingRope?.Theta),
        ];
    }

    static IEnumerable<string> FindConflict(string fact, List<(string Key, double? Theta)> all, double? used)
    {
        var named = all.Where(one => one.Theta is not null).ToList();
        if (used is not { } theta || named.TrueForAll(one => one.Theta == theta))
        {
            return [];
        }

        var found = named.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key} {one.Theta}"));
        return
        [
            string.Create(
                CultureInfo.InvariantCulture,
                $"{fact}: config.json {string.Join(", ", found)}; used is {theta}"
            ),
        ];
    }

    static RopeConfig? ReadSliding(ConfigJson json, ConfigJson? parameters, ModelFamily family, RopeConfig full)
    {
        var sliding = parameters?.GetObject("sliding_attention");
        if (family.ScalesFullLayersOnly && sliding is null)
        {
            return new RopeConfig { Theta = full.Theta };
        }

        if (sliding is null && family.SlidingTheta is null)
        {
            return null;
        }

        var theta =
            sliding?.GetDouble("rope_theta")
            ?? json.GetDouble("rope_local_base_freq")
            ?? family.SlidingTheta
            ?? family.Rope.Theta;
        return sliding is null
            ? new RopeConfig { Theta = theta }
            : RopeScalingReader.Read(sliding, theta, json, family);
    }

    /// <summary>In transformers 5 among the rotary parameters, before beside them.</summary>
    static double ReadPartialFactor(ConfigJson? scaled, ConfigJson json, ModelFamily family)
    {
        const string Key = "partial_rotary_factor";
        var found = scaled?.GetDouble(Key) ?? json.GetDouble(Key);
        if (found is { } factor && factor != 1 && !family.HasPartialRotation)
        {
            throw json.Unsupported(Key, $"{factor}", "1");
        }

        return found ?? family.Rope.PartialRotaryFactor;
    }
}
