using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>What config.json says of a decoder. Families differ by these values alone.</summary>
public sealed record DecoderConfig
{
    /// <summary>Hugging Face's <c>model_type</c>; used to write config.json, never to choose code.</summary>
    public string ModelType { get; init; } = "llama";

    /// <summary>Number of token ids.</summary>
    public required int VocabSize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside a feed-forward block.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Number of query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Number of key and value heads, each shared by a group of query heads.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>Width of a head.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Positions that the model was trained for.</summary>
    public int MaxPositions { get; init; } = 2048;

    /// <summary>Added to the mean square in RMS norms.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Norms multiply by 1 + weight instead of weight (Gemma).</summary>
    public bool NormAddsOne { get; init; }

    /// <summary>Norms also after attention and after the feed-forward block (Gemma).</summary>
    public bool NormsAfterBlocks { get; init; }

    /// <summary>Norms on each query and key head (Qwen3, Gemma 3).</summary>
    public bool QueryKeyNorm { get; init; }

    /// <summary>Biases on the query, key and value projections (Qwen2).</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>Bias on the attention's output projection.</summary>
    public bool OutputBias { get; init; }

    /// <summary>Biases in the feed-forward block.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Embeddings are multiplied by the root of the hidden size (Gemma).</summary>
    public bool ScaleEmbedding { get; init; }

    /// <summary>The head is the embedding.</summary>
    public bool TiedHead { get; init; }

    /// <summary>Nonlinearity of the feed-forward gate.</summary>
    public Activation Activation { get; init; }

    /// <summary>Scores are divided by the root of this; null is the head's width.</summary>
    public double? QueryScalar { get; init; }

    /// <summary>Rotary embedding of layers with full attention.</summary>
    public RopeConfig Rope { get; init; } = new();

    /// <summary>Rotary embedding of sliding layers; null is <see cref="Rope"/>.</summary>
    public RopeConfig? SlidingRope { get; init; }

    /// <summary>A sliding layer's query sees keys fewer than this many positions back.</summary>
    public int? SlidingWindow { get; init; }

    /// <summary>Which layers slide; empty is none.</summary>
    public IReadOnlyList<bool> SlidingLayers { get; init; } = [];

    /// <summary>Element type of the checkpoint.</summary>
    public ScalarType Dtype { get; init; } = ScalarType.Float32;

    /// <summary>Id that begins a text, if any.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>Id that fills short rows, if any.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>Ids that end a generated text: generation_config.json's, or else config.json's.</summary>
    public IReadOnlyList<int> StopTokenIds { get; init; } = [];

    /// <summary>Whether a layer's attention slides.</summary>
    /// <param name="layer">Index of the layer.</param>
    public bool IsSliding(int layer) =>
        SlidingWindow is not null && layer < SlidingLayers.Count && SlidingLayers[layer];

    /// <summary>
    /// Reads <c>config.json</c> (and <c>generation_config.json</c> for the stop ids) of a model folder.
    /// </summary>
    /// <param name="folder">The model folder.</param>
    /// <exception cref="ModelFileException">
    /// A file is missing or malformed, or needs something that this library does not compute; names the key.
    /// </exception>
    public static DecoderConfig Read(string folder) => DecoderConfigReader.Read(folder);
}

/// <summary>The gate's nonlinearity in a feed-forward block.</summary>
public enum Activation
{
    /// <summary><c>x * sigmoid(x)</c>.</summary>
    Silu,

    /// <summary>GELU by its tanh approximation (<c>gelu_pytorch_tanh</c>).</summary>
    GeluTanh,
}

/// <summary>Rotary position embedding (Su et al., 2021, arXiv 2104.09864) of one kind of layer.</summary>
public sealed record RopeConfig
{
    /// <summary>Base of the frequencies.</summary>
    public double Theta { get; init; } = 10000;

    /// <summary>How frequencies are scaled to longer contexts.</summary>
    public RopeScaling Scaling { get; init; }

    /// <summary>Factor by which the context is extended.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Llama 3: wavelengths longer than the original context / this are scaled fully.</summary>
    public double LowFrequencyFactor { get; init; } = 1;

    /// <summary>Llama 3: wavelengths shorter than the original context / this are kept.</summary>
    public double HighFrequencyFactor { get; init; } = 4;

    /// <summary>Llama 3: context length before scaling.</summary>
    public double OriginalMaxPositions { get; init; } = 8192;

    /// <summary>
    /// Angle per position, in radians, of each of the headDim / 2 planes: <c>theta^(-2 i / headDim)</c>, then scaled.
    /// </summary>
    /// <param name="headDim">Width of a head.</param>
    public float[] ComputeFrequencies(int headDim)
    {
        var frequencies = new float[headDim / 2];
        for (var i = 0; i < frequencies.Length; i++)
        {
            frequencies[i] = (float)ScaleFrequency(1 / Math.Pow(Theta, 2.0 * i / headDim));
        }

        return frequencies;
    }

    double ScaleFrequency(double frequency) =>
        Scaling switch
        {
            RopeScaling.Linear => frequency / Factor,
            RopeScaling.Llama3 => ScaleAsLlama3(frequency),
            _ => frequency,
        };

    double ScaleAsLlama3(double frequency)
    {
        var turns = OriginalMaxPositions * frequency / (2 * Math.PI); // turns within the original context
        if (turns < LowFrequencyFactor)
        {
            return frequency / Factor;
        }

        if (turns > HighFrequencyFactor)
        {
            return frequency;
        }

        var keep = (turns - LowFrequencyFactor) / (HighFrequencyFactor - LowFrequencyFactor);
        return (1 - keep) * frequency / Factor + keep * frequency;
    }
}

/// <summary>How rotary frequencies are scaled to longer contexts.</summary>
public enum RopeScaling
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>All frequencies divided by the factor.</summary>
    Linear,

    /// <summary>Llama 3.1: low frequencies divided by the factor, high ones kept, those between blended.</summary>
    Llama3,
}

/// <summary>Whether the sizes of a decoder fit together.</summary>
static class DecoderConfigValidator
{
    public const int MaxLayers = 1000;

    /// <summary>Beyond this, float32 has no frequency left for the slowest pair.</summary>
    const double MaxTheta = 1e30;

    /// <exception cref="ModelFileException">A value is out of range; names its key in config.json.</exception>
    public static void Validate(DecoderConfig config, string source)
    {
        // Upper bounds far beyond any model keep a damaged file from causing endless work.
        CheckRange(source, "vocab_size", config.VocabSize, 1 << 24);
        CheckRange(source, "hidden_size", config.HiddenSize, 1 << 20);
        CheckRange(source, "intermediate_size", config.IntermediateSize, 1 << 22);
        CheckRange(source, "num_hidden_layers", config.LayerCount, MaxLayers);
        CheckRange(source, "num_attention_heads", config.HeadCount, 4096);
        CheckRange(source, "num_key_value_heads", config.KeyValueHeadCount, 4096);
        CheckRange(source, "head_dim", config.HeadDim, 8192);
        CheckRange(source, "max_position_embeddings", config.MaxPositions, 1 << 28);
        CheckTheta(source, config.Rope);
        if (config.SlidingRope is not null)
        {
            CheckTheta(source, config.SlidingRope);
        }

        if (config.HeadDim % 2 != 0)
        {
            var problem = $"is {config.HeadDim}; rotary embeddings need an even number.";
            throw new ModelFileException(source, "head_dim", problem);
        }

        if (config.HeadCount % config.KeyValueHeadCount != 0)
        {
            var problem = $"is {config.KeyValueHeadCount}, which does not divide {config.HeadCount} heads.";
            throw new ModelFileException(source, "num_key_value_heads", problem);
        }

        if (config.NormEpsilon < 0)
        {
            throw new ModelFileException(source, "rms_norm_eps", $"is {config.NormEpsilon}; expected >= 0.");
        }

        if (config.QueryScalar is <= 0)
        {
            throw new ModelFileException(source, "query_pre_attn_scalar", $"is {config.QueryScalar}; expected > 0.");
        }
    }

    static void CheckRange(string source, string key, int value, int max)
    {
        if (value < 1 || value > max)
        {
            throw new ModelFileException(source, key, $"is {value}; expected a number from 1 to {max}.");
        }
    }

    static void CheckTheta(string source, RopeConfig rope)
    {
        if (!(rope.Theta > 0 && rope.Theta <= MaxTheta))
        {
            var problem = $"is {rope.Theta}; expected a number above 0, at most {MaxTheta}.";
            throw new ModelFileException(source, "rope_theta", problem);
        }
    }
}
