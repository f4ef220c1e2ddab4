using CoPe.Adapters;
using CoPe.Kernels.Gemm;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Sizes of a model folder, from its configuration and the headers of its weights alone: no weight is read.
/// </summary>
public sealed record ModelInfo
{
    /// <summary>What config.json says.</summary>
    public required DecoderConfig Config { get; init; }

    /// <summary>Number of the decoder's weights; a tied head counts once.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Bytes of all weights files, parts that the decoder does not use included.</summary>
    public required long WeightFileBytes { get; init; }

    /// <summary>Element types of the checkpoint's tensors, with how many tensors have them.</summary>
    public required IReadOnlyDictionary<ScalarType, int> Dtypes { get; init; }

    /// <summary>Licence file in the folder, if any.</summary>
    public string? LicenseFile { get; init; }

    /// <summary>
    /// Reads a model folder. Throws <see cref="ModelFileException"/> for one that could not be loaded.
    /// </summary>
    public static ModelInfo Read(string folder)
    {
        var config = DecoderConfig.Read(folder);
        var entries = CheckpointReader.ReadEntries(folder, config);
        return new ModelInfo
        {
            Config = config,
            ParameterCount = CountParameters(config),
            WeightFileBytes = CheckpointReader.FindShards(folder).Sum(SafetensorsHeader.GetFileLength),
            Dtypes = entries.GroupBy(e => e.Dtype).ToDictionary(g => g.Key, g => g.Count()),
            LicenseFile = Directory
                .EnumerateFiles(folder)
                .Where(IsLicense)
                .Order(StringComparer.Ordinal)
                .FirstOrDefault(),
        };
    }

    /// <summary>Number of a decoder's weights; a tied head counts once.</summary>
    public static long CountParameters(DecoderConfig config) =>
        WeightLayout.ListWeights(config).Sum(w => w.Shape.Aggregate(1L, (a, b) => a * b));

    /// <summary>Number of an adapter's weights on this model.</summary>
    public long CountParameters(LoraConfig lora) =>
        LoraTargets.Select(Config, lora.TargetModules).Sum(l => (long)lora.Rank * (l.Inputs + l.Outputs));

    /// <summary>Bytes of keys and values that a row keeps per position.</summary>
    public long CacheBytesPerToken(ScalarType dtype) =>
        2L * Config.LayerCount * Config.KeyValueHeadCount * Config.HeadDim * SafetensorsDtype.GetElementSize(dtype);

    /// <summary>
    /// Memory to decode <paramref name="rows"/> rows of <paramref name="length"/> positions token by token: weights,
    /// cache, logits.
    /// </summary>
    public long DecodingBytes(int rows, int length, ScalarType dtype) =>
        WeightBytes(dtype) + rows * (length * CacheBytesPerToken(dtype) + 4L * Config.VocabSize);

    /// <summary>
    /// About what one layer holds of a pass of <paramref name="tokens"/> tokens, measured as <c>4 * intermediate *
    /// elementBytes + 42 * hidden</c> bytes per token: a prompt's pass holds it
    /// for one layer at a time, a training's keeps it of all layers for the backward pass.
    /// </summary>
    public long LayerBytes(long tokens, ScalarType dtype) =>
        tokens * (4L * Config.IntermediateSize * SafetensorsDtype.GetElementSize(dtype) + 42L * Config.HiddenSize);

    /// <summary>
    /// About the memory to train <paramref name="adapters"/> adapters on <paramref name="rows"/> rows of
    /// <paramref name="length"/> positions: weights, factors with gradient and
    /// two moments in float32, and what the layers keep.
    /// </summary>
    public long TrainingBytes(int rows, int length, LoraConfig lora, int adapters, ScalarType dtype) =>
        WeightBytes(dtype)
        + 16L * adapters * CountParameters(lora)
        + Config.LayerCount * LayerBytes((long)rows * length, dtype);

    /// <summary>
    /// Memory of the logits that training keeps at <paramref name="labels"/> positions: logits, their log-softmax and
    /// both gradients in float32.
    /// </summary>
    public long LogitsBytes(int labels) => 16L * labels * Config.VocabSize;

    /// <summary>
    /// Bytes of the weights in memory as <paramref name="dtype"/>; the checkpoint's own type stays in the mapped file.
    /// </summary>
    public long WeightBytes(ScalarType dtype) => ParameterCount * SafetensorsDtype.GetElementSize(dtype);

    /// <summary>
    /// Bytes of the weights in memory with linear layers and head rounded to int8; the embedding, rows of which are
    /// looked up in the mapped file, is not counted.
    /// </summary>
    public long Int8WeightBytes =>
        WeightLayout.ListLinearLayers(Config).Sum(layer => Int8Weights.CountBytes(layer.Outputs, layer.Inputs))
        + Int8Weights.CountBytes(Config.VocabSize, Config.HiddenSize)
        + 2 * WeightLayout.ListWeights(Config).Where(weight => weight.Shape.Length == 1).Sum(weight => weight.Shape[0]);

    static bool IsLicense(string path) =>
        Path.GetFileName(path).ToUpperInvariant().Split('.', '-', '_')[0] is "LICENSE" or "LICENCE" or "COPYING";
}
