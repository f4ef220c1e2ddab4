namespace CoPe.Modeling;

/// <summary>
/// What Hugging Face's code knows of a model type without being told by config.json: its defaults and its fixed traits.
/// </summary>
sealed record ModelFamily
{
    public required string ModelType { get; init; }

    public required string Architecture { get; init; }

    /// <summary>Keys of config.json that this type alone reads, beside those that all do.</summary>
    public IReadOnlyList<string> OwnKeys { get; init; } = [];

    /// <summary>Values of keys that config.json may leave out, as JSON numbers.</summary>
    public int VocabSize { get; init; }

    public int? HeadCount { get; init; }

    public int? KeyValueHeadCount { get; init; }

    public int? HeadDim { get; init; }

    public int MaxPositions { get; init; } = 32768;

    /// <summary>Context before scaling where the type has a key for it beside the scaling (Phi-3).</summary>
    public double? OriginalMaxPositions { get; init; }

    public double NormEpsilon { get; init; } = 1e-6;

    public bool TiedHead { get; init; }

    /// <summary>Rotary embedding of a file that says nothing of it.</summary>
    public RopeConfig Rope { get; init; } = new();

    /// <summary>Base of sliding layers' rotary frequencies where they have their own.</summary>
    public double? SlidingTheta { get; init; }

    /// <summary>Sliding layers have the same base, but no scaling (OLMo 3).</summary>
    public bool ScalesFullLayersOnly { get; init; }

    public UnrotatedLayers UnrotatedLayers { get; init; }

    public SlidingRule Sliding { get; init; }

    /// <summary>Whether the sliding window must be switched on by use_sliding_window.</summary>
    public bool WindowNeedsSwitch { get; init; }

    public int? SlidingWindow { get; init; }

    /// <summary>Every how many layers one sees everything, by <see cref="SlidingRule.Pattern"/>.</summary>
    public int SlidingPattern { get; init; }

    public double? QueryScalar { get; init; }

    public double? AttentionMultiplier { get; init; }

    public double? AttentionSoftCap { get; init; }

    public double? LogitSoftCap { get; init; }

    public string ActivationKey { get; init; } = "hidden_act";

    public Activation Activation { get; init; }

    public ProjectionBias Bias { get; init; }

    /// <summary>Whether the feed-forward block has biases where mlp_bias says so.</summary>
    public bool HasFeedForwardBias { get; init; }

    public bool QueryKeyNorm { get; init; }

    public bool QueryKeyNormAcrossHeads { get; init; }

    public LayerNorms Norms { get; init; } = LayerNorms.BeforeBlocks;

    public bool NormAddsOne { get; init; }

    public bool ScaleEmbedding { get; init; }

    public bool FusedQueryKeyValue { get; init; }

    public bool FusedGateUp { get; init; }

    /// <summary>Whether the file may say that a part of each head rotates.</summary>
    public bool HasPartialRotation => OwnKeys.Contains("partial_rotary_factor");

    public static IReadOnlyList<ModelFamily> All => ModelFamilies.All;
}

/// <summary>Which projections of attention have biases.</summary>
enum ProjectionBias
{
    /// <summary>All four where attention_bias says so.</summary>
    AllIfConfigured,

    /// <summary>Query, key and value where attention_bias says so; the output never (GLM-4).</summary>
    InputsIfConfigured,

    /// <summary>Query, key and value whatever attention_bias says (Qwen2).</summary>
    InputsAlways,

    /// <summary>None: the layers have none (Mistral, Phi-3).</summary>
    Never,
}

/// <summary>Which layers slide where a window is set and layer_types does not say.</summary>
enum SlidingRule
{
    /// <summary>None: the type knows no window.</summary>
    Never,

    /// <summary>All, whatever layer_types says.</summary>
    Always,

    /// <summary>Those from max_window_layers on.</summary>
    FromMaxWindowLayer,

    /// <summary>All but one in so many.</summary>
    Pattern,

    /// <summary>Those without rotary embedding.</summary>
    Unrotated,
}

/// <summary>Which layers have no rotary embedding.</summary>
enum UnrotatedLayers
{
    /// <summary>All layers have one.</summary>
    None,

    /// <summary>Those with 0 in no_rope_layers, by default one in no_rope_layer_interval (SmolLM3).</summary>
    Listed,

    /// <summary>Full layers, where a window is set (EXAONE 4).</summary>
    FullBesideSliding,
}

/// <summary>A model type whose decoder stands beside other parts, with its values in an object of their own.</summary>
/// <param name="ModelType">Hugging Face's <c>model_type</c> of the whole.</param>
/// <param name="Architecture">Of the whole.</param>
/// <param name="TextModelTypes">What the decoder may be; the first where its object does not say.</param>
sealed record CompositeFamily(string ModelType, string Architecture, IReadOnlyList<string> TextModelTypes)
{
    public static readonly IReadOnlyList<CompositeFamily> All =
    [
        new("gemma3", "Gemma3ForConditionalGeneration", ["gemma3_text"]),
        new("mistral3", "Mistral3ForConditionalGeneration", ["mistral", "ministral3"]),
    ];
}
