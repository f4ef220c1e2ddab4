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

    public bool Has(string name) => _source.Contains(name);

    public static double Difference(Tensor a, Tensor b) => a.sub(b).abs().max().item<float>();

    /// <summary>Largest difference where the mask <c>[rows, seq]</c> is one.</summary>
    public static double Difference(Tensor a, Tensor b, Tensor mask) =>
        a.sub(b).abs().amax([-1]).mul(mask.to(ScalarType.Float32)).max().item<float>();
}
