using CoPe.Adapters;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>A decoder-only language model over frozen, memory-mapped weights (or trainable ones, for pre-training).</summary>
public sealed class CausalLm : IDisposable
{
    /// <summary>The model's description.</summary>
    public DecoderConfig Config => throw new NotImplementedException();

    /// <summary>Opens a model folder. <paramref name="dtype"/> is what the pass computes in; null takes the checkpoint's.</summary>
    public static CausalLm Load(string folder, ScalarType? dtype = null) => throw new NotImplementedException();

    /// <summary>The hidden states after the last norm, <c>[rows, seq, hidden]</c>. With a cache, keys and values are written at the batch's positions of those rows and attention sees all columns up to them.</summary>
    public Tensor Forward(TokenBatch batch, AdapterRows? adapters = null, KvCacheRows? cache = null) => throw new NotImplementedException();

    /// <summary>Logits <c>[..., vocab]</c> float32 of hidden states <c>[..., hidden]</c>: callers pass only the positions they need.</summary>
    public Tensor Logits(Tensor hidden) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
