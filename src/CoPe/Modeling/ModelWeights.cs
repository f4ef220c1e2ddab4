using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>A decoder's weights by Hugging Face name: memory-mapped and frozen, or float32 leaves that train. Owns its tensors.</summary>
public sealed class ModelWeights : IDisposable
{
    readonly Dictionary<string, Tensor> tensors;
    readonly Dictionary<string, ByteWeights> rounded = [];
    readonly List<string> order;

    internal ModelWeights(DecoderConfig config, Dictionary<string, Tensor> tensors)
        : this([.. WeightLayout.Weights(config).Select(w => w.Name)], tensors)
    {
    }

    ModelWeights(List<string> order, Dictionary<string, Tensor> tensors) => (this.order, this.tensors) = (order, tensors);

    ModelWeights(DecoderConfig config, Dictionary<string, Tensor> tensors, Dictionary<string, ByteWeights> rounded)
        : this([.. WeightLayout.Weights(config).Select(w => w.Name).Where(tensors.ContainsKey)], tensors) => this.rounded = rounded;

    /// <summary>
    /// Opens the weights of a model folder (<c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names). Tensors already of type
    /// <paramref name="dtype"/> (null: the checkpoint's) lie in the mapped file; others are converted once. For a GPU they are copied to it. Throws <see cref="ModelFileException"/>.
    /// </summary>
    public static ModelWeights Open(string folder, DecoderConfig config, ScalarType? dtype = null, Device? device = null)
    {
        var tensors = CheckpointReader.Read(folder, config, dtype);
        if (device is null || device.type == TorchSharp.DeviceType.CPU) return new(config, tensors);
        foreach (var (name, mapped) in tensors.ToList())
        {
            using (mapped) tensors[name] = mapped.to(device).DetachFromDisposeScope();
        }

        return new(config, tensors);
    }

    /// <summary>
    /// Opens the weights with the linear layers and the head rounded to int8, a factor per row: lossy. The rest is bf16; an embedding that is also the head lies in the mapped file, for looking up, and rounded
    /// in memory. No more than a layer of the file is in use at a time. Throws <see cref="ModelFileException"/>, also for a weight that is no finite number.
    /// </summary>
    internal static ModelWeights OpenInt8(string folder, DecoderConfig config)
    {
        var rounded = new Dictionary<string, ByteWeights>(StringComparer.Ordinal);
        var head = config.TiedHead ? WeightLayout.Embedding : WeightLayout.Head;
        var linear = WeightLayout.LinearLayers(config).Select(layer => $"{layer.Name}.weight").ToHashSet(StringComparer.Ordinal);
        try
        {
            for (var i = 0; i < config.LayerCount; i++) Round(folder, config, name => linear.Contains(name) && name.StartsWith(WeightLayout.Layer(i) + ".", StringComparison.Ordinal), rounded);
            Round(folder, config, name => name == head, rounded);
            NativeHeap.GiveBack(); // what was bf16 for a moment, where the file has another type
            return new(config, CheckpointReader.Read(folder, config, ScalarType.BFloat16, name => !linear.Contains(name) && name != WeightLayout.Head), rounded);
        }
        catch
        {
            foreach (var weights in rounded.Values) weights.Dispose();
            throw;
        }
    }

    static void Round(string folder, DecoderConfig config, Func<string, bool> wanted, Dictionary<string, ByteWeights> rounded)
    {
        var tensors = CheckpointReader.Read(folder, config, ScalarType.BFloat16, wanted);
        try
        {
            foreach (var (name, tensor) in tensors) rounded[name == WeightLayout.Embedding ? WeightLayout.Head : name] = ByteWeights.Round(tensor, name);
        }
        catch (ArgumentException error)
        {
            throw new ModelFileException(folder, error.Message);
        }
        finally
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
        }
    }

    /// <summary>
    /// New float32 leaves for pre-training: matrices normal with deviation 0.02, those that write to the residual stream 0.02 / sqrt(2 layers), norms at one, biases zero.
    /// </summary>
    public static ModelWeights Initialise(DecoderConfig config, long seed)
    {
        DecoderConfigCheck.Check(config, nameof(DecoderConfig));
        using var generator = new Generator((ulong)seed, CPU);
        var residual = 0.02 / Math.Sqrt(2.0 * config.LayerCount);
        var weights = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, shape) in WeightLayout.Weights(config))
        {
            using var scope = NewDisposeScope();
            var writesToStream = name.EndsWith("o_proj.weight", StringComparison.Ordinal) || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
            var value = shape.Length == 2 ? randn(shape, dtype: ScalarType.Float32, generator: generator).mul_(Scalars.Of(writesToStream ? residual : 0.02))
                : name.EndsWith(".bias", StringComparison.Ordinal) || config.NormAddsOne ? zeros(shape, dtype: ScalarType.Float32) : ones(shape, dtype: ScalarType.Float32);
            weights[name] = value.DetachFromDisposeScope();
            value.requires_grad = true;
        }
        return new ModelWeights(config, weights);
    }

    /// <summary>Weights on the same memory that are leaves of their own: changes of one are seen through the other, gradients are not.</summary>
    internal ModelWeights Alias() => new(order, tensors.ToDictionary(pair => pair.Key, pair => pair.Value.detach().DetachFromDisposeScope(), StringComparer.Ordinal));

    /// <summary>A weight by name, for example <c>model.layers.0.mlp.up_proj.weight</c>; this object owns it.</summary>
    public Tensor this[string name] => tensors.TryGetValue(name, out var tensor) ? tensor : throw new KeyNotFoundException($"The model has no weight {name}.");

    /// <summary>Names in model order.</summary>
    public IReadOnlyList<string> Names => order;

    /// <summary>The weights in model order; this object owns them.</summary>
    public IReadOnlyList<Tensor> Parameters() => [.. order.Select(name => tensors[name])];

    /// <summary>Bytes of all weights.</summary>
    public long Bytes => tensors.Values.Sum(tensor => tensor.numel() * tensor.element_size()) + rounded.Values.Sum(weights => weights.Bytes);

    /// <summary>The matrices that are int8, by name; none unless they were opened so. This object owns them.</summary>
    internal IReadOnlyDictionary<string, ByteWeights> Rounded => rounded;

    internal Tensor? Find(string name) => tensors.GetValueOrDefault(name);

    /// <summary>Puts tensors, which it owns from now on, in the place of others and disposes those.</summary>
    internal void Replace(IReadOnlyDictionary<string, Tensor> replacements)
    {
        foreach (var (name, tensor) in replacements)
        {
            this[name].Dispose();
            tensors[name] = tensor;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in tensors.Values) tensor.Dispose();
        foreach (var weights in rounded.Values) weights.Dispose();
    }
}
