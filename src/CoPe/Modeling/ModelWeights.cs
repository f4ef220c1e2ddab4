using CoPe.Kernels.Gemm;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// A decoder's weights by Hugging Face name: memory-mapped and frozen, or float32 leaves that train. Owns its tensors.
/// </summary>
public sealed class ModelWeights : IDisposable
{
    readonly Dictionary<string, Tensor> _tensors;
    readonly Dictionary<string, Int8Weights> _int8Matrices = [];
    readonly List<string> _order;

    internal ModelWeights(DecoderConfig config, Dictionary<string, Tensor> tensors)
        : this([.. WeightLayout.ListWeights(config).Select(w => w.Name)], tensors) { }

    ModelWeights(List<string> order, Dictionary<string, Tensor> tensors) => (_order, _tensors) = (order, tensors);

    ModelWeights(DecoderConfig config, Dictionary<string, Tensor> tensors, Dictionary<string, Int8Weights> rounded)
        : this([.. WeightLayout.ListWeights(config).Select(w => w.Name).Where(tensors.ContainsKey)], tensors) =>
        _int8Matrices = rounded;

    /// <summary>
    /// Opens the weights of a model folder (<c>model.safetensors</c>, or the shards that
    /// <c>model.safetensors.index.json</c> names). Tensors already of type
    /// <paramref name="dtype"/> (null: the checkpoint's) lie in the mapped file; others are converted once. For a GPU
    /// they are copied to it. Throws <see cref="ModelFileException"/>.
    /// </summary>
    public static ModelWeights Open(
        string folder,
        DecoderConfig config,
        ScalarType? dtype = null,
        Device? device = null
    )
    {
        var tensors = CheckpointReader.Read(folder, config, dtype);
        if (device is null || device.type == TorchSharp.DeviceType.CPU)
        {
            return new(config, tensors);
        }

        foreach (var (name, mapped) in tensors.ToList())
        {
            using (mapped)
            {
                tensors[name] = mapped.to(device).DetachFromDisposeScope();
            }
        }

        return new(config, tensors);
    }

    /// <summary>
    /// Opens the weights with the linear layers and the head rounded to int8, a factor per row: lossy. The rest is
    /// bf16; an embedding that is also the head lies in the mapped file, for looking up, and rounded
    /// in memory. No more than a layer of the file is in use at a time. Throws <see cref="ModelFileException"/>, also
    /// for a weight that is no finite number.
    /// </summary>
    internal static ModelWeights OpenInt8(string folder, DecoderConfig config)
    {
        var rounded = new Dictionary<string, Int8Weights>(StringComparer.Ordinal);
        var head = config.TiedHead ? WeightLayout.Embedding : WeightLayout.Head;
        var linear = WeightLayout
            .ListLinearLayers(config)
            .Select(layer => $"{layer.Name}.weight")
            .ToHashSet(StringComparer.Ordinal);
        try
        {
            for (var i = 0; i < config.LayerCount; i++)
            {
                QuantizeInto(
                    folder,
                    config,
                    name =>
                        linear.Contains(name)
                        && name.StartsWith(WeightLayout.GetLayerName(i) + ".", StringComparison.Ordinal),
                    rounded
                );
            }

            QuantizeInto(folder, config, name => name == head, rounded);
            NativeHeap.ReleaseFreedMemory(); // what was bf16 for a moment, where the file has another type
            return new(
                config,
                CheckpointReader.Read(
                    folder,
                    config,
                    ScalarType.BFloat16,
                    name => !linear.Contains(name) && name != WeightLayout.Head
                ),
                rounded
            );
        }
        catch
        {
            foreach (var weights in rounded.Values)
            {
                weights.Dispose();
            }

            throw;
        }
    }

    static void QuantizeInto(
        string folder,
        DecoderConfig config,
        Func<string, bool> wanted,
        Dictionary<string, Int8Weights> rounded
    )
    {
        var tensors = CheckpointReader.Read(folder, config, ScalarType.BFloat16, wanted);
        try
        {
            foreach (var (name, tensor) in tensors)
            {
                rounded[name == WeightLayout.Embedding ? WeightLayout.Head : name] = Int8Weights.Quantize(tensor, name);
            }
        }
        catch (ArgumentException error)
        {
            throw new ModelFileException(folder, error.Message);
        }
        finally
        {
            foreach (var tensor in tensors.Values)
            {
                tensor.Dispose();
            }
        }
    }

    /// <summary>
    /// New float32 leaves for pre-training: matrices normal with deviation 0.02, those that write to the residual
    /// stream 0.02 / sqrt(2 layers), norms at one, biases zero.
    /// </summary>
    public static ModelWeights Initialize(DecoderConfig config, long seed)
    {
        DecoderConfigValidator.Validate(config, nameof(DecoderConfig));
        using var generator = new Generator((ulong)seed, CPU);
        var residual = 0.02 / Math.Sqrt(2.0 * config.LayerCount);
        var weights = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, shape) in WeightLayout.ListWeights(config))
        {
            using var scope = NewDisposeScope();
            var writesToStream =
                name.EndsWith("o_proj.weight", StringComparison.Ordinal)
                || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
            var value =
                shape.Length == 2
                    ? randn(shape, dtype: ScalarType.Float32, generator: generator)
                        .mul_(Scalars.Of(writesToStream ? residual : 0.02))
                : name.EndsWith(".bias", StringComparison.Ordinal) || config.NormAddsOne
                    ? zeros(shape, dtype: ScalarType.Float32)
                : ones(shape, dtype: ScalarType.Float32);
            weights[name] = value.DetachFromDisposeScope();
            value.requires_grad = true;
        }
        return new ModelWeights(config, weights);
    }

    /// <summary>
    /// Weights on the same memory that are leaves of their own: changes of one are seen through the other, gradients
    /// are not.
    /// </summary>
    internal ModelWeights Alias() =>
        new(
            _order,
            _tensors.ToDictionary(
                pair => pair.Key,
                pair => pair.Value.detach().DetachFromDisposeScope(),
                StringComparer.Ordinal
            )
        );

    /// <summary>A weight by name, for example <c>model.layers.0.mlp.up_proj.weight</c>; this object owns it.</summary>
    public Tensor this[string name] =>
        _tensors.TryGetValue(name, out var tensor)
            ? tensor
            : throw new KeyNotFoundException($"The model has no weight {name}.");

    /// <summary>Names in model order.</summary>
    public IReadOnlyList<string> Names => _order;

    /// <summary>The weights in model order; this object owns them.</summary>
    public IReadOnlyList<Tensor> Parameters() => [.. _order.Select(name => _tensors[name])];

    /// <summary>Bytes of all weights.</summary>
    public long Bytes =>
        _tensors.Values.Sum(tensor => tensor.numel() * tensor.element_size())
        + _int8Matrices.Values.Sum(weights => weights.ByteCount);

    /// <summary>The matrices that are int8, by name; none unless they were opened so. This object owns them.</summary>
    internal IReadOnlyDictionary<string, Int8Weights> Int8Matrices => _int8Matrices;

    internal Tensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>Puts tensors, which it owns from now on, in the place of others and disposes those.</summary>
    internal void Replace(IReadOnlyDictionary<string, Tensor> replacements)
    {
        foreach (var (name, tensor) in replacements)
        {
            this[name].Dispose();
            _tensors[name] = tensor;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
        {
            tensor.Dispose();
        }

        foreach (var weights in _int8Matrices.Values)
        {
            weights.Dispose();
        }
    }
}
