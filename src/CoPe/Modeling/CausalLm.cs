using CoPe.Adapters;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// A decoder-only language model over frozen, memory-mapped weights (or trainable ones, for pre-training). Passes of
/// one model may not run concurrently with its disposal; its weights are only read.
/// </summary>
public sealed class CausalLm : IDisposable
{
    readonly ModelWeights _weights;
    readonly DecoderLayer[] _layers;
    readonly FrozenLinear _head;

    /// <summary>
    /// A model over weights, which it owns from now on, computing in <paramref name="dtype"/>: float32 leaves may be
    /// computed in bf16, then each pass casts them.
    /// </summary>
    public CausalLm(DecoderConfig config, ModelWeights weights, ScalarType? dtype = null)
    {
        NativeHeap.KeepFreedMemory();
        (Config, _weights) = (config, weights);
        Dtype = dtype ?? weights[WeightLayout.Embedding].dtype;
        _layers = [.. Enumerable.Range(0, config.LayerCount).Select(i => new DecoderLayer(config, weights, i))];
        _head = new(weights, config.TiedHead && !HasInt8Weights ? WeightLayout.Embedding : WeightLayout.Head, "");
    }

    /// <summary>The model's description.</summary>
    public DecoderConfig Config { get; }

    /// <summary>What passes compute in: the dtype of hidden states and caches.</summary>
    public ScalarType Dtype { get; }

    /// <summary>Where the weights lie.</summary>
    public Device Device => _weights[WeightLayout.Embedding].device;

    /// <summary>The weights; this object owns them.</summary>
    public ModelWeights Weights => _weights;

    /// <summary>
    /// Opens a model folder. <paramref name="dtype"/> is what the pass computes in; null takes the checkpoint's, whose
    /// weights then lie in the mapped file; another is converted to once.
    /// <paramref name="device"/> is where it computes, null the processor; weights for a GPU are copied to it, one by
    /// one.
    /// Throws <see cref="ModelFileException"/> for a folder that cannot be used.
    /// </summary>
    public static CausalLm Load(string folder, ScalarType? dtype = null, Device? device = null)
    {
        var config = DecoderConfig.Read(folder);
        return new CausalLm(config, ModelWeights.Open(folder, config, dtype, device), dtype);
    }

    /// <summary>
    /// Opens a model folder with its linear layers and its head rounded to int8, a factor per row: lossy, half the
    /// memory of bf16 and half of what a decoding step reads. It computes in bf16, on the processor, for
    /// decoding and scoring alone: no gradient passes. Throws <see cref="ModelFileException"/> for a folder that cannot
    /// be used.
    /// </summary>
    public static CausalLm LoadInt8(string folder)
    {
        var config = DecoderConfig.Read(folder);
        return new CausalLm(config, ModelWeights.OpenInt8(folder, config));
    }

    /// <summary>Whether linear layers and head are int8.</summary>
    public bool HasInt8Weights => _weights.Int8Matrices.Count > 0;

    /// <summary>
    /// The hidden states after the last norm, <c>[rows, seq, hidden]</c> of type <see cref="Dtype"/>, owned by the
    /// caller; of a batch that wants some columns only, theirs, row by row: <c>[wanted, hidden]</c>. With a cache, keys
    /// and values are written at the batch's
    /// positions of those rows and attention sees all columns up to them. A clock takes where the time goes. Autograd
    /// works through it to the adapters (and to trainable weights).
    /// </summary>
    public Tensor Forward(
        TokenBatch batch,
        AdapterRows? adapters = null,
        KvCacheSlice? cache = null,
        PassProfiler? clock = null
    )
    {
        using var scope = NewDisposeScope();
        return Forward(
                batch,
                new ForwardPass(Config, Dtype, batch, adapters, cache, clock),
                (layer, hidden, pass) => layer.Forward(hidden, pass)
            )
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The same for a training pass that keeps no more than the input of each layer and computes the layers again when
    /// gradients are asked for. Batch and adapters must live until then.
    /// </summary>
    public Tensor ForwardCheckpointed(TokenBatch batch, AdapterRows? adapters = null) =>
        // The pass's tables belong to the caller's scope, which the backward pass ends in.
        Forward(batch, new ForwardPass(Config, Dtype, batch, adapters, null), CheckpointedLayer.Forward);

    /// <summary>
    /// Writes keys and values of a prompt into the cache rows, for a step that goes on from there: what the last layer
    /// does beyond its keys and values nobody reads, so it is not computed.
    /// </summary>
    public void Prefill(TokenBatch batch, AdapterRows? adapters, KvCacheSlice cache, PassProfiler? clock = null)
    {
        using var scope = NewDisposeScope();
        var pass = new ForwardPass(Config, Dtype, batch, adapters, cache, clock);
        using var hidden = RunLayers(
            _layers.AsSpan(..^1),
            batch,
            pass,
            (layer, hidden, pass) => layer.Forward(hidden, pass)
        );
        _layers[^1].Prefill(hidden, pass);
    }

    Tensor Forward(TokenBatch batch, ForwardPass pass, Func<DecoderLayer, Tensor, ForwardPass, Tensor> run)
    {
        using var scope = NewDisposeScope();
        var hidden = RunLayers(_layers, batch, pass, run);
        if (batch.OutputColumns is { } wanted)
        {
            hidden = wanted.Unpad(hidden);
        }

        return RmsNorm
            .Apply(hidden, _weights[WeightLayout.FinalNorm], Config.NormEpsilon, Config.NormAddsOne)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Hidden states after these layers, the first ones, owned by the caller.</summary>
    Tensor RunLayers(
        ReadOnlySpan<DecoderLayer> first,
        TokenBatch batch,
        ForwardPass pass,
        Func<DecoderLayer, Tensor, ForwardPass, Tensor> run
    )
    {
        using var scope = NewDisposeScope();
        var hidden = Embed(batch.Ids);
        foreach (var layer in first)
        {
            using var before = hidden;
            hidden = run(layer, before, pass);
        }
        return hidden.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Logits <c>[..., vocab]</c> float32 of hidden states <c>[..., hidden]</c>, owned by the caller: callers pass only
    /// the positions they need.
    /// </summary>
    public Tensor ComputeLogits(Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return _head.Multiply(hidden.contiguous()).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    Tensor Embed(Tensor ids)
    {
        using var scope = NewDisposeScope();
        var rows = _weights[WeightLayout.Embedding]
            .index_select(0, ids.reshape(-1))
            .view(ids.shape[0], ids.shape[1], Config.HiddenSize)
            .to(Dtype);
        if (Config.ScaleEmbedding)
        {
            // The factor is rounded to the dtype, as Gemma's was in training.
            rows = rows.mul(tensor(Math.Sqrt(Config.HiddenSize), dtype: Dtype, device: ids.device));
        }

        return rows.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _weights.Dispose();
}
