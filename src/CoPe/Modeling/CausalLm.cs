using CoPe.Gguf;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// A decoder-only language model over frozen, memory-mapped weights (or trainable ones, for pre-training). Passes only
/// read the weights and may run concurrently, but not with the model's disposal.
/// </summary>
/// <example>
/// <code>
/// using var model = CausalLm.Load("models/cope-tiny");
/// output.WriteLine($"{model.Config.LayerCount} layers in {model.Dtype}, context {model.Config.MaxPositions}");
/// </code>
/// </example>
public sealed class CausalLm : IDisposable
{
    readonly DecoderLayer[] _layers;
    FrozenLinear _head;

    /// <summary>A model over weights, which it owns from now on.</summary>
    /// <param name="config">What config.json says.</param>
    /// <param name="weights">The weights that the configuration describes.</param>
    /// <param name="dtype">
    /// What passes compute in; null takes the weights' type. Float32 leaves may be computed in bf16, then each pass
    /// casts them.
    /// </param>
    internal CausalLm(DecoderConfig config, ModelWeights weights, ScalarType? dtype = null)
    {
        NativeHeap.KeepFreedMemory();
        Config = config;
        Weights = weights;
        Dtype = dtype ?? weights[WeightLayout.Embedding].dtype;
        _layers = [.. Enumerable.Range(0, config.LayerCount).Select(i => new DecoderLayer(config, weights, i))];
        var headName = config.TiedHead && Quantization is null ? WeightLayout.Embedding : WeightLayout.Head;
        _head = new FrozenLinear(weights, headName, biasName: "");
    }

    /// <summary>The model's description.</summary>
    public DecoderConfig Config { get; private set; }

    /// <summary>What passes compute in: the element type of hidden states and caches.</summary>
    public ScalarType Dtype { get; }

    /// <summary>Where the weights lie.</summary>
    public Device Device => Weights[WeightLayout.Embedding].device;

    /// <summary>What linear layers and head are rounded to; null where they are not.</summary>
    public QuantizedDtype? Quantization => Weights.Quantization;

    /// <summary>The weights; this object owns them.</summary>
    internal ModelWeights Weights { get; }

    /// <summary>Opens a model folder in Hugging Face's layout, or a GGUF file.</summary>
    /// <param name="folder">The folder: config.json and safetensors weights; or the file.</param>
    /// <param name="dtype">
    /// What passes compute in. Null takes the checkpoint's type, whose weights then lie in the mapped file, rounded
    /// ones too; another is converted to once. A GGUF file whose matrices are mostly of 8 bits or less is then loaded
    /// rounded as well.
    /// </param>
    /// <param name="device">
    /// Where passes compute; null is the processor. Weights for a GPU are copied to it, one by one.
    /// </param>
    /// <returns>The model, owned by the caller.</returns>
    /// <exception cref="ModelFileException">The folder is not a model that can be used.</exception>
    public static CausalLm Load(string folder, ScalarType? dtype = null, Device? device = null)
    {
        var config = DecoderConfig.Read(folder);
        var isForCpu = device is null || device.type == TorchSharp.DeviceType.CPU;
        var isOpened = dtype is not null || (!isForCpu && GgufFile.IsNamed(folder));
        if (isOpened || ModelFolder.FindRounding(folder) is not { } rounded)
        {
            return Create(config, ModelWeights.Open(folder, config, dtype, device), dtype);
        }

        if (!isForCpu)
        {
            var name = PackedCheckpoint.GetName(rounded);
            throw new ModelFileException(folder, $"is rounded to {name}, for the processor alone; set device: cpu.");
        }

        return Create(config, ModelWeights.OpenQuantized(folder, config, rounded, keepsTypes: true), dtype: null);
    }

    /// <summary>
    /// Opens a model folder with its linear layers and its head rounded to fewer bits: lossy, less memory and less that
    /// a decoding step reads. It computes in bf16, on the processor. Adapters can be trained on it: the rounded weights
    /// are frozen, and gradients pass through them as they are.
    /// </summary>
    /// <param name="folder">The folder: config.json and safetensors weights.</param>
    /// <param name="dtype">What the linear layers are rounded to.</param>
    /// <returns>The model, owned by the caller.</returns>
    /// <exception cref="ModelFileException">The folder is not a model that can be used.</exception>
    public static CausalLm LoadQuantized(string folder, QuantizedDtype dtype) =>
        LoadQuantized(folder, dtype, cache: null, warn: null);

    /// <summary>The same, with the rounded weights kept for the next opening.</summary>
    internal static CausalLm LoadQuantized(
        string folder,
        QuantizedDtype dtype,
        RoundedWeightsCache? cache,
        Action<string>? warn
    )
    {
        var config = DecoderConfig.Read(folder);
        return Create(config, ModelWeights.OpenQuantized(folder, config, dtype, cache, warn), dtype: null);
    }

    static CausalLm Create(DecoderConfig config, ModelWeights weights, ScalarType? dtype)
    {
        try
        {
            return new CausalLm(config, weights, dtype);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The hidden states after the last norm. Autograd works through the pass to the adapters (and to trainable
    /// weights).
    /// </summary>
    /// <param name="batch">The tokens; still the caller's.</param>
    /// <param name="adapters">Adapters of the rows; null is the base model.</param>
    /// <returns>
    /// <c>[rows, seq, hidden]</c> of type <see cref="Dtype"/>, owned by the caller; of a batch with output columns
    /// theirs alone, row by row, <c>[columns, hidden]</c>.
    /// </returns>
    /// <exception cref="ArgumentException">The adapters are for another number of rows.</exception>
    public Tensor Forward(TokenBatch batch, IRowAdapters? adapters = null) => Forward(batch, adapters, cache: null);

    /// <summary>
    /// The same with a cache: keys and values are written at the batch's positions of the cache rows, and attention
    /// sees all columns up to them. A profiler measures where the time goes.
    /// </summary>
    internal Tensor Forward(
        TokenBatch batch,
        IRowAdapters? adapters,
        KvCacheSlice? cache,
        PassProfiler? profiler = null
    )
    {
        using var scope = NewDisposeScope();
        var pass = new ForwardPass(Config, Dtype, batch, adapters, cache, profiler);
        return Forward(batch, pass, RunLayer).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The same with gradient checkpointing, for training: only the input of each layer is kept, and the backward pass
    /// computes the layers again. Batch and adapters must live until then.
    /// </summary>
    internal Tensor ForwardCheckpointed(TokenBatch batch, IRowAdapters? adapters = null)
    {
        // No scope here: the pass's tables must live until the backward pass, and so belong to the caller's scope.
        var pass = new ForwardPass(Config, Dtype, batch, adapters, cache: null);
        return Forward(batch, pass, CheckpointedLayer.Forward);
    }

    /// <summary>
    /// Writes keys and values of a prompt into the cache rows, for decoding to continue from. What the last layer
    /// computes beyond its keys and values would not be read, and is left out.
    /// </summary>
    internal void Prefill(TokenBatch batch, IRowAdapters? adapters, KvCacheSlice cache, PassProfiler? profiler = null)
    {
        using var scope = NewDisposeScope();
        var pass = new ForwardPass(Config, Dtype, batch, adapters, cache, profiler);
        using var hidden = RunLayers(_layers.AsSpan(..^1), batch, pass, RunLayer);
        _layers[^1].Prefill(hidden, pass);
    }

    /// <summary>
    /// Logits of hidden states. They are large: pass only the positions that are needed.
    /// </summary>
    /// <param name="hidden">Hidden states <c>[..., hidden]</c> as a pass returns them.</param>
    /// <param name="adapters">Adapters of the pass's rows, of which some may adapt the head; null for none.</param>
    /// <param name="rows">
    /// Row of the pass that each hidden state is of; null: the first dimension of the hidden states is the rows.
    /// </param>
    /// <returns><c>[..., vocab]</c> float32, owned by the caller.</returns>
    public Tensor ComputeLogits(Tensor hidden, IRowAdapters? adapters = null, IReadOnlyList<int>? rows = null)
    {
        using var scope = NewDisposeScope();
        return ComputeNarrowLogits(hidden, adapters, rows).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The same <c>[..., vocab]</c> in the type in which they are computed: that of the hidden states, or float32 where
    /// the model divides or caps them.
    /// </summary>
    internal Tensor ComputeNarrowLogits(Tensor hidden, IRowAdapters? adapters = null, IReadOnlyList<int>? rows = null)
    {
        using var scope = NewDisposeScope();
        var input = hidden.contiguous();
        var logits = _head.Multiply(input);
        if (adapters is not null)
        {
            rows ??= RepeatRows(hidden);
            adapters.AdaptLogits(logits.view(-1, Config.VocabSize), input.view(-1, Config.HiddenSize), rows);
        }

        if (Config.LogitsScaling != 1)
        {
            logits = logits.to(ScalarType.Float32).div(Scalars.Of(Config.LogitsScaling));
        }

        if (Config.LogitSoftCap is { } cap)
        {
            logits = SoftCap.Apply(logits.to(ScalarType.Float32), cap);
        }

        return logits.MoveToOuterDisposeScope();
    }

    /// <summary>The row of each of hidden states <c>[rows, ..., hidden]</c>; null where they are one a row.</summary>
    static int[]? RepeatRows(Tensor hidden)
    {
        var count = (int)hidden.shape[1..^1].Aggregate(1L, (product, size) => product * size);
        return count == 1
            ? null
            : [.. Enumerable.Range(0, (int)hidden.shape[0]).SelectMany(row => Enumerable.Repeat(row, count))];
    }

    /// <summary>Makes the head, which was the embedding, a weight of its own. Not while passes run.</summary>
    internal void SeparateHead()
    {
        Weights.SeparateHead();
        Config = Config with { TiedHead = false };
        _head = new FrozenLinear(Weights, WeightLayout.Head, biasName: "");
    }

    static Tensor RunLayer(DecoderLayer layer, Tensor hidden, ForwardPass pass) => layer.Forward(hidden, pass);

    Tensor Forward(TokenBatch batch, ForwardPass pass, Func<DecoderLayer, Tensor, ForwardPass, Tensor> runLayer)
    {
        using var scope = NewDisposeScope();
        var hidden = RunLayers(_layers, batch, pass, runLayer);
        if (batch.OutputColumns is not null)
        {
            hidden = batch.OutputColumns.Unpad(hidden);
        }

        return RmsNorm
            .Apply(hidden, Weights[WeightLayout.FinalNorm], Config.NormEpsilon, Config.NormAddsOne)
            .MoveToOuterDisposeScope();
    }

    /// <summary>Hidden states after the first layers, owned by the caller.</summary>
    Tensor RunLayers(
        ReadOnlySpan<DecoderLayer> layers,
        TokenBatch batch,
        ForwardPass pass,
        Func<DecoderLayer, Tensor, ForwardPass, Tensor> runLayer
    )
    {
        using var scope = NewDisposeScope();
        var hidden = Embed(batch.Ids, pass);
        foreach (var layer in layers)
        {
            using var input = hidden;
            hidden = runLayer(layer, input, pass);
        }

        return hidden.MoveToOuterDisposeScope();
    }

    /// <summary>Embeddings <c>[rows, seq, hidden]</c> of ids <c>[rows, seq]</c>.</summary>
    Tensor Embed(Tensor ids, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var embeddings = Weights[WeightLayout.Embedding]
            .index_select(0, ids.reshape(-1))
            .view(ids.shape[0], ids.shape[1], Config.HiddenSize)
            .to(Dtype);
        pass.Adapters?.AdaptEmbedding(embeddings, ids);
        if (Config.ScaleEmbedding)
        {
            // The factor is rounded to the dtype, as Gemma's was in training.
            var factor = tensor(Math.Sqrt(Config.HiddenSize), dtype: Dtype, device: ids.device);
            embeddings = embeddings.mul(factor);
        }

        if (Config.EmbeddingMultiplier != 1)
        {
            embeddings = embeddings.mul(Scalars.Of(Config.EmbeddingMultiplier));
        }

        return embeddings.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => Weights.Dispose();
}

/// <summary>Keeps numbers within a bound, smoothly (Gemma 2; arXiv 2408.00118, section 2).</summary>
static class SoftCap
{
    /// <summary><c>cap * tanh(x / cap)</c>, of the shape of x and the caller's.</summary>
    public static Tensor Apply(Tensor x, double cap)
    {
        using var scope = NewDisposeScope();
        var ratio = x.div(Scalars.Of(cap));
        if (ratio.requires_grad)
        {
            return ratio.tanh().mul(Scalars.Of(cap)).MoveToOuterDisposeScope();
        }

        // The numbers are many: no second copy of them.
        return ratio.tanh_().mul_(Scalars.Of(cap)).MoveToOuterDisposeScope();
    }
}
