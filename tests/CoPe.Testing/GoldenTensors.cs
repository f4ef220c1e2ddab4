using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Testing;

/// <summary>Tensors of a golden file, in memory; a dispose scope owns them.</summary>
public sealed class GoldenTensors(string file)
{
    readonly SafetensorsFile _source = SafetensorsFile.Open(file);

    public Tensor this[string name]
    {
        get
        {
            using var mapped = _source.Read(name);
            return mapped.clone();
        }
    }

    public IEnumerable<string> Names => _source.Entries.Select(entry => entry.Name);

    /// <summary>
    /// The weight that a golden tensor such as <c>tam_merged.layers.0.q_proj.weight</c> is; attention's layers may
    /// stand without their block.
    /// </summary>
    public static string ToWeightName(string golden)
    {
        var name = "model." + golden[(golden.IndexOf('.', StringComparison.Ordinal) + 1)..];
        var parts = name.Split('.');
        return parts[3].EndsWith("_proj", StringComparison.Ordinal)
            ? string.Join('.', [.. parts[..3], "self_attn", .. parts[3..]])
            : name;
    }

    public bool Has(string name) => _source.Contains(name);

    public static double Difference(Tensor a, Tensor b) => a.sub(b).abs().max().item<float>();

    /// <summary>Largest difference where the mask <c>[rows, seq]</c> is one.</summary>
    public static double Difference(Tensor a, Tensor b, Tensor mask) =>
        a.sub(b).abs().amax([-1]).mul(mask.to(ScalarType.Float32)).max().item<float>();
}
