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

    /// <summary>Positions the model was made for.</summary>
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

    /// <summary>Rotary embedding of layers that see everything.</summary>
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
    public bool IsSliding(int layer) => SlidingWindow is not null && layer < SlidingLayers.Count && SlidingLayers[layer];

    /// <summary>
    /// Reads <c>config.json</c> (and <c>generation_config.json</c> for the stop ids) of a model folder. Throws <see cref="ModelFileException"/>, naming the key,
    /// for a file that is missing or malformed and for anything that this library does not compute.
    /// </summary>
    public static DecoderConfig Read(string folder) => DecoderConfigReader.Read(folder);
}
