namespace CoPe.Modeling;

/// <summary>
/// What Hugging Face's code knows of a model type without being told by config.json: its defaults and its fixed traits.
/// </summary>
sealed record ModelFamily
{
    public required string ModelType { get; init; }

    public required string Architecture { get; init; }

    /// <summary>Values of keys that config.json may leave out, as JSON numbers.</summary>
    public int VocabSize { get; init; }

    public int? HeadCount { get; init; }

    public int? KeyValueHeadCount { get; init; }

    public int? HeadDim { get; init; }

    public int MaxPositions { get; init; } = 32768;

    public double Theta { get; init; } = 10000;

    public bool TiedHead { get; init; }

    public int? SlidingWindow { get; init; }

    /// <summary>Every how many layers one sees everything; 0: none does.</summary>
    public int? SlidingPattern { get; init; }

    /// <summary>Base of sliding layers' rotary frequencies where they have their own.</summary>
    public double? SlidingTheta { get; init; }

    public double? QueryScalar { get; init; }

    public string ActivationKey { get; init; } = "hidden_act";

    /// <summary>Query, key and value biases are always there (Qwen2) whatever attention_bias says.</summary>
    public bool AlwaysQueryKeyValueBias { get; init; }

    /// <summary>Whether the sliding window must be switched on by use_sliding_window.</summary>
    public bool WindowNeedsSwitch { get; init; }

    public bool QueryKeyNorm { get; init; }

    /// <summary>Gemma's: norms by 1 + weight and after blocks, embeddings scaled.</summary>
    public bool GemmaTraits { get; init; }

    public static readonly IReadOnlyList<ModelFamily> All =
    [
        new()
        {
            ModelType = "llama",
            Architecture = "LlamaForCausalLM",
            VocabSize = 32000,
            MaxPositions = 2048,
        },
        new()
        {
            ModelType = "mistral",
            Architecture = "MistralForCausalLM",
            VocabSize = 32000,
            KeyValueHeadCount = 8,
            MaxPositions = 131072,
            SlidingWindow = 4096,
            SlidingPattern = 0,
        },
        new()
        {
            ModelType = "qwen2",
            Architecture = "Qwen2ForCausalLM",
            VocabSize = 151936,
            KeyValueHeadCount = 32,
            AlwaysQueryKeyValueBias = true,
            WindowNeedsSwitch = true,
            SlidingWindow = 4096,
        },
        new()
        {
            ModelType = "qwen3",
            Architecture = "Qwen3ForCausalLM",
            VocabSize = 151936,
            KeyValueHeadCount = 32,
            HeadDim = 128,
            WindowNeedsSwitch = true,
            SlidingWindow = 4096,
            QueryKeyNorm = true,
        },
        new()
        {
            ModelType = "gemma3_text",
            Architecture = "Gemma3ForCausalLM",
            VocabSize = 262208,
            HeadCount = 8,
            KeyValueHeadCount = 4,
            HeadDim = 256,
            MaxPositions = 131072,
            Theta = 1e6,
            SlidingTheta = 1e4,
            TiedHead = true,
            SlidingWindow = 4096,
            SlidingPattern = 6,
            QueryScalar = 256,
            ActivationKey = "hidden_activation",
            QueryKeyNorm = true,
            GemmaTraits = true,
        },
    ];
}
