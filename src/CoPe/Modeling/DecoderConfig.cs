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

    /// <summary>Which norms a layer has and what they are called.</summary>
    internal LayerNorms Norms { get; init; } = LayerNorms.BeforeBlocks;

    /// <summary>Norms on each query and key head (Qwen3, Gemma 3).</summary>
    public bool QueryKeyNorm { get; init; }

    /// <summary>These norms span all heads at once, before they are split (OLMo 2).</summary>
    public bool QueryKeyNormAcrossHeads { get; init; }

    /// <summary>Query, key and value projections are the rows of one weight, <c>qkv_proj</c> (Phi-3).</summary>
    public bool FusedQueryKeyValue { get; init; }

    /// <summary>Gate and up projections are the rows of one weight, <c>gate_up_proj</c> (Phi-3, GLM-4).</summary>
    public bool FusedGateUp { get; init; }

    /// <summary>Biases on the query, key and value projections (Qwen2).</summary>
    public bool QueryKeyValueBias { get; init; }

    /// <summary>Bias on the attention's output projection.</summary>
    public bool OutputBias { get; init; }

    /// <summary>Biases in the feed-forward block.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>Embeddings are multiplied by the root of the hidden size (Gemma).</summary>
    public bool ScaleEmbedding { get; init; }

    /// <summary>Embeddings are multiplied by this (Granite).</summary>
    public double EmbeddingMultiplier { get; init; } = 1;

    /// <summary>What each block adds to the residual stream is multiplied by this (Granite).</summary>
    public double ResidualMultiplier { get; init; } = 1;

    /// <summary>Logits are divided by this (Granite).</summary>
    public double LogitsScaling { get; init; } = 1;

    /// <summary>Logits become <c>cap * tanh(logits / cap)</c> (Gemma 2); null: they stay.</summary>
    public double? LogitSoftCap { get; init; }

    /// <summary>
    /// Attention scores become <c>cap * tanh(scores / cap)</c> before the mask (Gemma 2); null: they stay.
    /// </summary>
    public double? AttentionSoftCap { get; init; }

    /// <summary>The head is the embedding.</summary>
    public bool TiedHead { get; init; }

    /// <summary>Nonlinearity of the feed-forward gate.</summary>
    public Activation Activation { get; init; }

    /// <summary>Scores are divided by the root of this; null is the head's width.</summary>
    public double? QueryScalar { get; init; }

    /// <summary>
    /// Scores are multiplied by this instead (Granite); null: divided as <see cref="QueryScalar"/> says.
    /// </summary>
    public double? AttentionMultiplier { get; init; }

    /// <summary>What scores are multiplied by.</summary>
    internal double ScoreFactor => AttentionMultiplier ?? 1 / Math.Sqrt(QueryScalar ?? HeadDim);

    /// <summary>Rotary embedding of layers with full attention.</summary>
    public RopeConfig Rope { get; init; } = new();

    /// <summary>Rotary embedding of sliding layers; null is <see cref="Rope"/>.</summary>
    public RopeConfig? SlidingRope { get; init; }

    /// <summary>Which layers have no rotary embedding; empty is none.</summary>
    public IReadOnlyList<bool> LayersWithoutRope { get; init; } = [];

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

    /// <summary>Whether a layer's queries and keys are rotated to their positions.</summary>
    /// <param name="layer">Index of the layer.</param>
    public bool HasRope(int layer) => layer >= LayersWithoutRope.Count || !LayersWithoutRope[layer];

    /// <summary>
    /// Whether a text of so many positions has other rotary frequencies than short ones (LongRoPE): keys and values of
    /// one kind are of no use for the other.
    /// </summary>
    internal bool IsExtended(long textLength) => Rope.DependsOnLength && textLength > Rope.OriginalMaxPositions;

    /// <summary>
    /// Reads <c>config.json</c> (and <c>generation_config.json</c> for the stop ids) of a model folder.
    /// </summary>
    /// <param name="folder">The model folder.</param>
    /// <exception cref="ModelFileException">
    /// A file is missing or malformed, or needs something that this library does not compute; names the key.
    /// </exception>
    public static DecoderConfig Read(string folder) => DecoderConfigReader.Read(folder);
}

/// <summary>
/// The norms of a layer by the names of their weights; null where a layer has none at that place.
/// </summary>
/// <param name="BeforeAttention">On what attention reads.</param>
/// <param name="AfterAttention">On what attention adds.</param>
/// <param name="BeforeFeedForward">On what the feed-forward block reads.</param>
/// <param name="AfterFeedForward">On what the feed-forward block adds.</param>
sealed record LayerNorms(
    string? BeforeAttention,
    string? AfterAttention,
    string? BeforeFeedForward,
    string? AfterFeedForward
)
{
    /// <summary>Llama and most others.</summary>
    public static LayerNorms BeforeBlocks { get; } = new("input_layernorm", null, "post_attention_layernorm", null);

    /// <summary>OLMo 2, EXAONE 4.</summary>
    public static LayerNorms AfterBlocks { get; } =
        new(null, "post_attention_layernorm", null, "post_feedforward_layernorm");

    /// <summary>Gemma 2 and 3.</summary>
    public static LayerNorms AroundBlocks { get; } =
        new("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm");

    /// <summary>GLM-4, which has the same under other names.</summary>
    public static LayerNorms AroundBlocksOfGlm { get; } =
        new("input_layernorm", "post_self_attn_layernorm", "post_attention_layernorm", "post_mlp_layernorm");

    /// <summary>The names of those that there are.</summary>
    public IEnumerable<string> Names =>
        new[] { BeforeAttention, AfterAttention, BeforeFeedForward, AfterFeedForward }.OfType<string>();
}
