using CoPe.Modeling;

namespace CoPe.Adapters;

/// <summary>Which linear layers of a model an adapter targets.</summary>
static class LoraTargets
{
    /// <summary>PEFT's word for every linear layer.</summary>
    public const string AllLinear = "all-linear";

    /// <summary>The layers whose name ends in one of the targets, in model order. Throws for a target that names none.</summary>
    public static IReadOnlyList<LinearLayer> Select(DecoderConfig model, IReadOnlyList<string> targets)
    {
        var layers = WeightLayout.LinearLayers(model).ToList();
        if (targets.Contains(AllLinear)) return layers;
        var known = layers.Select(l => l.ShortName).Distinct().ToList();
        if (targets.FirstOrDefault(t => !layers.Any(l => IsTarget(l.Name, t))) is { } unknown)
            throw new ArgumentException($"Target module {unknown} names no linear layer of the model; expected some of {string.Join(", ", known)}, or {AllLinear}.", nameof(targets));
        return [.. layers.Where(l => targets.Any(t => IsTarget(l.Name, t)))];
    }

    /// <summary>PEFT's rule: the name is the target or ends in it after a dot.</summary>
    public static bool IsTarget(string name, string target) => name == target || name.EndsWith("." + target, StringComparison.Ordinal);
}
