using CoPe.Modeling;

namespace CoPe.Adapters;

/// <summary>
/// Adapters of one shape, stacked: each adapted layer holds A <c>[adapters, r, in]</c> and B <c>[adapters, out, r]</c>, so that rows of one pass can
/// carry different adapters and several users can train at once. One adapter is a bank of one. Owns its tensors.
/// </summary>
public sealed class AdapterBank : IDisposable
{
    /// <summary>Shape shared by the adapters of the bank.</summary>
    public LoraConfig Config => throw new NotImplementedException();

    /// <summary>Number of adapters.</summary>
    public int Count => throw new NotImplementedException();

    /// <summary>The factors by full layer name (<c>model.layers.0.self_attn.q_proj</c>), in model order.</summary>
    public IReadOnlyDictionary<string, LoraPair> Pairs => throw new NotImplementedException();

    /// <summary>New adapters as PEFT initialises them: A uniform in +-1/sqrt(in), B zero; adapter i draws from seeds[i] alone.</summary>
    public static AdapterBank Create(DecoderConfig model, LoraConfig config, IReadOnlyList<long> seeds) => throw new NotImplementedException();

    /// <summary>Copies adapters of one shape into one bank.</summary>
    public static AdapterBank Stack(IReadOnlyList<AdapterBank> adapters) => throw new NotImplementedException();

    /// <summary>A copy of one adapter as a bank of one.</summary>
    public AdapterBank Extract(int index) => throw new NotImplementedException();

    /// <summary>Makes every factor a leaf that autograd tracks (or none).</summary>
    public void RequireGrad(bool value) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
