using CoPe.Gguf;
using CoPe.Kernels.Gemm;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Sizes of a model folder, from its configuration and the headers of its weights alone: no weight is read.
/// </summary>
sealed record ModelInfo
{
    /// <summary>What config.json says.</summary>
    public required DecoderConfig Config { get; init; }

    /// <summary>Number of the decoder's weights; a tied head counts once.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Bytes of all weights files, parts that the decoder does not use included.</summary>
    public required long WeightFileBytes { get; init; }

    /// <summary>Element types that the checkpoint's tensors are read as, with how many tensors have them.</summary>
    public required IReadOnlyDictionary<ScalarType, int> Dtypes { get; init; }

    /// <summary>What weights that are not rounded are loaded as.</summary>
    public ScalarType LoadedDtype => StoredTypes.Count > 0 ? Config.Dtype : Dtypes.MaxBy(type => type.Value).Key;

    /// <summary>The same as the file stores them, where it is a GGUF file; else empty.</summary>
    public IReadOnlyDictionary<string, int> StoredTypes { get; init; } = new Dictionary<string, int>();

    /// <summary>What the matrices are rounded to, or would be when loaded as the file has them; null: not.</summary>
    public QuantizedDtype? Rounded { get; init; }

    /// <summary>License file in the folder, if any.</summary>
    public string? LicenseFile { get; init; }

    /// <summary>Reads a model folder.</summary>
    /// <exception cref="ModelFileException">The folder could not be loaded.</exception>
    public static ModelInfo Read(string folder)
    {
        var config = DecoderConfig.Read(folder);
        var entries = CheckpointReader.ReadEntries(folder, config);
        var isGguf = GgufFile.IsNamed(folder);
        var files = isGguf ? [] : Directory.EnumerateFiles(folder);
        return new ModelInfo
        {
            Config = config,
            ParameterCount = CountParameters(config),
            WeightFileBytes = ListWeightFiles(folder).Sum(SafetensorsHeader.GetFileLength),
            Rounded = ModelFolder.FindRounding(folder),
            Dtypes = entries
                .GroupBy(entry => entry.Dtype.ScalarType!.Value)
                .ToDictionary(group => group.Key, group => group.Count()),
            StoredTypes = entries
                .Where(_ => isGguf)
                .GroupBy(entry => entry.StoredType)
                .ToDictionary(group => group.Key, group => group.Count()),
            LicenseFile = files.Where(IsLicense).Order(StringComparer.Ordinal).FirstOrDefault(),
        };
    }

    static IEnumerable<string> ListWeightFiles(string folder) =>
        PackedCheckpoint.Find(folder) is { } dtype
            ? CheckpointReader.FindShards(folder).Append(Path.Combine(folder, PackedCheckpoint.GetFileName(dtype)))
            : CheckpointReader.FindShards(folder);

    /// <summary>Number of a decoder's weights; a tied head counts once.</summary>
    public static long CountParameters(DecoderConfig config) =>
        WeightLayout.ListWeights(config).Sum(weight => CountElements(weight.Shape));

    /// <summary>Bytes of keys and values that a row keeps per position.</summary>
    public long CacheBytesPerToken(ScalarType dtype) =>
        2L * Config.LayerCount * Config.KeyValueHeadCount * Config.HeadDim * SafetensorsDtype.GetElementSize(dtype);

    /// <summary>
    /// Bytes to decode <paramref name="rows"/> rows of <paramref name="length"/> positions token by token: weights,
    /// cache, logits.
    /// </summary>
    public long DecodingBytes(int rows, int length, ScalarType dtype)
    {
        var logits = 4L * Config.VocabSize;
        return WeightBytes(dtype) + rows * (length * CacheBytesPerToken(dtype) + logits);
    }

    /// <summary>
    /// About the bytes that one layer holds of a pass of <paramref name="tokens"/> tokens, measured as
    /// <c>4 * intermediate * elementBytes + 42 * hidden</c> per token: a prompt's pass holds it for one layer at a
    /// time, training keeps it of all layers for the backward pass.
    /// </summary>
    public long LayerBytes(long tokens, ScalarType dtype)
    {
        var feedForward = 4L * Config.IntermediateSize * SafetensorsDtype.GetElementSize(dtype);
        return tokens * (feedForward + 42L * Config.HiddenSize);
    }

    /// <summary>
    /// About the bytes to train adapters of <paramref name="adapterParameters"/> weights together on
    /// <paramref name="rows"/> rows of <paramref name="length"/> positions: the model's weights, the adapters' with
    /// gradient and two moments in float32, and what the layers keep.
    /// </summary>
    public long TrainingBytes(int rows, int length, long adapterParameters, ScalarType dtype)
    {
        var layers = Config.LayerCount * LayerBytes((long)rows * length, dtype);
        return WeightBytes(dtype) + 16 * adapterParameters + layers;
    }

    /// <summary>
    /// Bytes of the logits that training keeps at <paramref name="labels"/> positions: logits, their log-softmax and
    /// both gradients in float32.
    /// </summary>
    public long LogitsBytes(int labels) => 16L * labels * Config.VocabSize;

    /// <summary>
    /// Bytes of the weights in memory as <paramref name="dtype"/>; the checkpoint's own type stays in the mapped file.
    /// </summary>
    public long WeightBytes(ScalarType dtype) => ParameterCount * SafetensorsDtype.GetElementSize(dtype);

    /// <summary>
    /// Bytes of the weights in memory with the linear layers rounded and the head in int8; the embedding, rows of which
    /// are looked up in the mapped file, is not counted.
    /// </summary>
    public long QuantizedWeightBytes(QuantizedDtype dtype)
    {
        Func<int, int, long> countBytes = dtype == QuantizedDtype.Q4 ? Q4Weights.CountBytes : Int8Weights.CountBytes;
        var layers = WeightLayout.ListLinearLayers(Config).Sum(layer => countBytes(layer.Outputs, layer.Inputs));
        var head = Int8Weights.CountBytes(Config.VocabSize, Config.HiddenSize);
        var vectors = WeightLayout.ListWeights(Config).Where(weight => weight.Shape.Length == 1);
        return layers + head + vectors.Sum(vector => 2 * vector.Shape[0]);
    }

    static long CountElements(long[] shape) => shape.Aggregate(1L, (product, size) => product * size);

    static bool IsLicense(string path)
    {
        var firstWord = Path.GetFileName(path).ToUpperInvariant().Split('.', '-', '_')[0];
        return firstWord is "LICENSE" or "LICENCE" or "COPYING";
    }
}
