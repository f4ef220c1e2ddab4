using CoPe.Gguf;
using CoPe.Kernels.Gemm;
using CoPe.Kernels.Torch;
using CoPe.Modeling.Gguf;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// A decoder's weights by Hugging Face name: memory-mapped and frozen, or float32 leaves that train. Owns its tensors.
/// </summary>
sealed class ModelWeights : IDisposable
{
    readonly Dictionary<string, Tensor> _tensors;
    readonly Dictionary<string, QuantizedWeights> _quantized;
    readonly List<string> _names;

    /// <summary>Takes ownership of the tensors, which are all of the configuration's.</summary>
    public ModelWeights(DecoderConfig config, Dictionary<string, Tensor> tensors)
        : this(config, tensors, []) { }

    ModelWeights(
        DecoderConfig config,
        Dictionary<string, Tensor> tensors,
        Dictionary<string, QuantizedWeights> quantized
    )
        : this([.. WeightLayout.ListWeights(config).Select(weight => weight.Name)], tensors, quantized) { }

    ModelWeights(
        IEnumerable<string> names,
        Dictionary<string, Tensor> tensors,
        Dictionary<string, QuantizedWeights> quantized
    )
    {
        _tensors = tensors;
        _quantized = quantized;
        _names = [.. names.Where(tensors.ContainsKey)];
    }

    /// <summary>
    /// Opens the weights of a model folder (<c>model.safetensors</c>, or the shards that
    /// <c>model.safetensors.index.json</c> names). Tensors already of type <paramref name="dtype"/> (null: the
    /// checkpoint's) lie in the mapped file; others are converted once. For a GPU they are copied to it.
    /// </summary>
    /// <exception cref="ModelFileException">The folder's weights cannot be used.</exception>
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
            return new ModelWeights(config, tensors);
        }

        try
        {
            foreach (var (name, mapped) in tensors.ToList())
            {
                tensors[name] = mapped.to(device).DetachFromDisposeScope();
                mapped.Dispose();
            }

            return new ModelWeights(config, tensors);
        }
        catch
        {
            DisposeAll(tensors.Values);
            throw;
        }
    }

    /// <summary>
    /// Opens the weights with the linear layers rounded to a type, and the head, where most is lost, to int8. The rest
    /// is bf16; an embedding that is also the head is kept twice, in the mapped file for looking up and rounded in
    /// memory.
    /// No more than a layer of the file is in use at a time. With <paramref name="keepsTypes"/> a GGUF file's matrices
    /// of more than 4 bits become int8.
    /// </summary>
    /// <param name="folder">The model.</param>
    /// <param name="config">Its shape.</param>
    /// <param name="dtype">What to round to.</param>
    /// <param name="cache">Keeps the rounded matrices for the next opening; null keeps nothing.</param>
    /// <param name="warn">Told why nothing could be kept.</param>
    /// <param name="keepsTypes">Whether matrices of more than 4 bits keep as many as int8 has.</param>
    /// <exception cref="ModelFileException">
    /// The folder's weights cannot be used, for example since one is not finite.
    /// </exception>
    public static ModelWeights OpenQuantized(
        string folder,
        DecoderConfig config,
        QuantizedDtype dtype,
        RoundedWeightsCache? cache = null,
        Action<string>? warn = null,
        bool keepsTypes = false
    )
    {
        var isRounded = WeightLayout.ListLinearLayers(config).Select(layer => $"{layer.Name}.weight").ToHashSet();
        var packed = Path.Combine(folder, PackedCheckpoint.GetFileName(dtype));
        var quantized = File.Exists(packed)
            ? PackedCheckpoint.Read(packed, config, dtype)
            : cache?.Find(folder, config, dtype) ?? QuantizeAndKeep();
        try
        {
            var others = CheckpointReader.Read(
                folder,
                config,
                ScalarType.BFloat16,
                name => !isRounded.Contains(name) && name != WeightLayout.Head
            );
            return new ModelWeights(config, others, quantized) { Quantization = dtype };
        }
        catch
        {
            DisposeAll(quantized.Values);
            throw;
        }

        Dictionary<string, QuantizedWeights> QuantizeAndKeep()
        {
            var rounded = Quantize(folder, config, dtype, isRounded, keepsTypes);
            if (cache is null)
            {
                return rounded;
            }

            cache.Keep(folder, dtype, rounded, warn);
            if (cache.Find(folder, config, dtype) is not { } mapped)
            {
                return rounded;
            }

            DisposeAll(rounded.Values);
            return mapped;
        }
    }

    static Dictionary<string, QuantizedWeights> Quantize(
        string folder,
        DecoderConfig config,
        QuantizedDtype dtype,
        HashSet<string> linearLayers,
        bool keepsTypes
    )
    {
        CheckpointReader.ReadEntries(folder, config);
        var quantized = new Dictionary<string, QuantizedWeights>(StringComparer.Ordinal);
        try
        {
            for (var i = 0; i < config.LayerCount; i++)
            {
                var prefix = WeightLayout.GetLayerName(i) + ".";
                var layer = new CheckpointPart(
                    folder,
                    config,
                    name => linearLayers.Contains(name) && IsIn(prefix, name)
                );
                QuantizeInto(quantized, layer, dtype, keepsTypes);
            }

            var head = config.TiedHead ? WeightLayout.Embedding : WeightLayout.Head;
            QuantizeInto(quantized, new(folder, config, name => name == head), QuantizedDtype.Int8, keepsTypes);
            NativeHeap.ReleaseFreedMemory(); // what was bf16 for a moment, where the file has another type
            return quantized;
        }
        catch
        {
            DisposeAll(quantized.Values);
            throw;
        }
    }

    static bool IsIn(string prefix, string name) => name.StartsWith(prefix, StringComparison.Ordinal);

    static void QuantizeInto(
        Dictionary<string, QuantizedWeights> quantized,
        CheckpointPart part,
        QuantizedDtype dtype,
        bool keepsTypes
    )
    {
        var isGguf = GgufFile.IsNamed(part.Folder);
        if (isGguf && dtype == QuantizedDtype.Q4)
        {
            PackInto(quantized, part);
            // What the file has in more bits than four keeps them.
            dtype = keepsTypes ? QuantizedDtype.Int8 : dtype;
        }

        var tensors = CheckpointReader.Read(
            part.Folder,
            part.Config,
            ScalarType.BFloat16,
            name => part.IsSelected(name) && !quantized.ContainsKey(name)
        );
        try
        {
            foreach (var (name, tensor) in tensors)
            {
                var ownName = name == WeightLayout.Embedding ? WeightLayout.Head : name;
                quantized[ownName] =
                    dtype == QuantizedDtype.Q4 ? Q4Weights.Quantize(tensor, name) : Int8Weights.Quantize(tensor, name);
            }
        }
        catch (ArgumentException error)
        {
            throw new ModelFileException(part.Folder, error.Message);
        }
        finally
        {
            DisposeAll(tensors.Values);
        }
    }

    /// <summary>Takes over a GGUF file's matrices of 4 bits.</summary>
    static void PackInto(Dictionary<string, QuantizedWeights> quantized, CheckpointPart part)
    {
        using var file = GgufWeights.Open(part.Folder);
        try
        {
            foreach (var entry in file.Entries.Where(e => part.IsSelected(e.Name) && file.HasFourBitCodes(e.Name)))
            {
                quantized[entry.Name] = file.Pack(entry.Name);
            }
        }
        catch (ArgumentException error)
        {
            throw new ModelFileException(part.Folder, error.Message);
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
        using var scope = NewDisposeScope(); // owns what was created should a later weight fail
        var weights = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, shape) in WeightLayout.ListWeights(config))
        {
            var weight = InitializeWeight(config, name, shape, generator);
            weight.requires_grad = true;
            weights[name] = weight;
        }

        foreach (var weight in weights.Values)
        {
            weight.DetachFromDisposeScope();
        }

        return new ModelWeights(config, weights);
    }

    static Tensor InitializeWeight(DecoderConfig config, string name, long[] shape, Generator generator)
    {
        if (shape.Length == 2)
        {
            using var scope = NewDisposeScope();
            var writesToResidual =
                name.EndsWith("o_proj.weight", StringComparison.Ordinal)
                || name.EndsWith("down_proj.weight", StringComparison.Ordinal);
            var deviation = writesToResidual ? 0.02 / Math.Sqrt(2.0 * config.LayerCount) : 0.02;
            return randn(shape, dtype: ScalarType.Float32, generator: generator)
                .mul_(Scalars.Of(deviation))
                .MoveToOuterDisposeScope();
        }

        // A norm that adds one to its weight is at one with zeros.
        var startsAtZero = name.EndsWith(".bias", StringComparison.Ordinal) || config.NormAddsOne;
        return startsAtZero ? zeros(shape, dtype: ScalarType.Float32) : ones(shape, dtype: ScalarType.Float32);
    }

    /// <summary>
    /// Weights on the same memory that are leaves of their own: changes of one are seen through the other, gradients
    /// are not.
    /// </summary>
    public ModelWeights Alias()
    {
        var aliases = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (name, tensor) in _tensors)
        {
            aliases[name] = tensor.detach().DetachFromDisposeScope();
        }

        return new ModelWeights(_names, aliases, []);
    }

    /// <summary>
    /// A weight by name, for example <c>model.layers.0.mlp.up_proj.weight</c>; this object owns it.
    /// </summary>
    /// <exception cref="KeyNotFoundException">The model has no such weight.</exception>
    public Tensor this[string name] => Find(name) ?? throw new KeyNotFoundException($"The model has no weight {name}.");

    /// <summary>Names in model order.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>The weights in model order; this object owns them.</summary>
    public IReadOnlyList<Tensor> Parameters() => [.. _names.Select(name => _tensors[name])];

    /// <summary>Bytes of all weights.</summary>
    public long Bytes
    {
        get
        {
            var tensors = _tensors.Values.Sum(tensor => tensor.numel() * tensor.element_size());
            return tensors + _quantized.Values.Sum(matrix => matrix.ByteCount);
        }
    }

    /// <summary>
    /// The matrices that are rounded, by name; none unless they were opened so. This object owns them.
    /// </summary>
    public IReadOnlyDictionary<string, QuantizedWeights> Quantized => _quantized;

    /// <summary>What the linear layers are rounded to; null where they are not.</summary>
    public QuantizedDtype? Quantization { get; private init; }

    /// <summary>A weight by name, or null; this object owns it.</summary>
    public Tensor? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <summary>
    /// Puts tensors, which it owns from now on, in the place of others and disposes those.
    /// </summary>
    /// <exception cref="KeyNotFoundException">The model lacks a weight; nothing is replaced.</exception>
    public void Replace(IReadOnlyDictionary<string, Tensor> replacements)
    {
        foreach (var name in replacements.Keys)
        {
            _ = this[name];
        }

        foreach (var (name, tensor) in replacements)
        {
            _tensors[name].Dispose();
            _tensors[name] = tensor;
        }
    }

    /// <summary>Makes the head, which was the embedding, a weight of its own on the same memory.</summary>
    public void SeparateHead()
    {
        _tensors[WeightLayout.Head] = this[WeightLayout.Embedding].detach().DetachFromDisposeScope();
        _names.Add(WeightLayout.Head);
    }

    public void Dispose()
    {
        DisposeAll(_tensors.Values);
        DisposeAll(_quantized.Values);
    }

    static void DisposeAll(IEnumerable<IDisposable> owned)
    {
        foreach (var item in owned)
        {
            item.Dispose();
        }
    }
}

/// <summary>Some of the weights of a model folder.</summary>
sealed record CheckpointPart(string Folder, DecoderConfig Config, Func<string, bool> IsSelected);

/// <summary>Types that a model's linear layers can be rounded to: lossy.</summary>
public enum QuantizedDtype
{
    /// <summary>8 bits, with a scale for each row.</summary>
    Int8,

    /// <summary>
    /// 4 bits, with a scale and a minimum for each 32 weights of a row: 5 bits a weight. The head is int8.
    /// </summary>
    Q4,
}
