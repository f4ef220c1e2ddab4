namespace CoPe.Modeling.Gguf;

/// <summary>
/// A decoder as llama.cpp knows it (<c>general.architecture</c>), and how its tensors differ from Hugging Face's.
/// </summary>
/// <param name="Name">Its name, which its keys begin with.</param>
/// <param name="ModelTypes">
/// Hugging Face's model types that are written as it; the first is what a file is read as.
/// </param>
sealed record GgufArchitecture(string Name, IReadOnlyList<string> ModelTypes)
{
    public const string RotaryFactors = "rope_freqs.weight";

    /// <summary>
    /// Rows of query and key projections stand so that the two coordinates of a plane are neighbors: row
    /// <c>(head, plane, half)</c> is Hugging Face's <c>(head, half, plane)</c>.
    /// </summary>
    public bool PairsRotaryRows { get; init; }

    /// <summary>Norms hold one plus Hugging Face's weight.</summary>
    public bool NormsHoldOne { get; init; }

    public static IReadOnlyList<GgufArchitecture> All { get; } =
    [
        new("llama", ["llama", "mistral"]) { PairsRotaryRows = true },
        new("qwen2", ["qwen2"]),
        new("qwen3", ["qwen3"]),
        new("gemma3", ["gemma3_text"]) { NormsHoldOne = true },
    ];

    /// <summary>The names, for messages.</summary>
    public static string Names => string.Join(", ", All.Select(architecture => architecture.Name));

    /// <summary>What the file's model is read as.</summary>
    public ModelFamily Family => ModelFamily.All.First(family => family.ModelType == ModelTypes[0]);

    static readonly (string Gguf, string HuggingFace)[] OutsideLayers =
    [
        ("token_embd.weight", WeightLayout.Embedding),
        ("output_norm.weight", WeightLayout.FinalNorm),
        ("output.weight", WeightLayout.Head),
    ];

    static readonly (string Gguf, string HuggingFace)[] InLayers =
    [
        ("attn_q", "self_attn.q_proj"),
        ("attn_k", "self_attn.k_proj"),
        ("attn_v", "self_attn.v_proj"),
        ("attn_output", "self_attn.o_proj"),
        ("attn_q_norm", "self_attn.q_norm"),
        ("attn_k_norm", "self_attn.k_norm"),
        ("ffn_gate", "mlp.gate_proj"),
        ("ffn_up", "mlp.up_proj"),
        ("ffn_down", "mlp.down_proj"),
    ];

    IEnumerable<(string Gguf, string? HuggingFace)> Norms =>
        [
            ("attn_norm", Family.Norms.BeforeAttention),
            ("post_attention_norm", Family.Norms.AfterAttention),
            ("ffn_norm", Family.Norms.BeforeFeedForward),
            ("post_ffw_norm", Family.Norms.AfterFeedForward),
        ];

    /// <summary>Hugging Face's name of a tensor; null for one that the architecture does not have.</summary>
    public string? ToHuggingFace(string name) =>
        Translate(name, "blk.", "model.layers.", pair => (pair.Gguf, pair.HuggingFace));

    /// <summary>The file's name of a tensor; null for one that the architecture does not have.</summary>
    public string? FromHuggingFace(string name) =>
        Translate(name, "model.layers.", "blk.", pair => (pair.HuggingFace, pair.Gguf));

    string? Translate(
        string name,
        string layers,
        string otherLayers,
        Func<(string Gguf, string HuggingFace), (string From, string To)> orient
    )
    {
        foreach (var (from, to) in OutsideLayers.Select(orient))
        {
            if (name == from)
            {
                return to;
            }
        }

        var rest = name.StartsWith(layers, StringComparison.Ordinal) ? name[layers.Length..].Split('.', 2) : [];
        if (rest is not [var layer, var part] || part.LastIndexOf('.') is not (> 0 and var dot))
        {
            return null;
        }

        var parts = InLayers.Concat(
            Norms.Where(norm => norm.HuggingFace is not null).Select(norm => (norm.Gguf, norm.HuggingFace!))
        );
        return parts
            .Select(orient)
            .Where(pair => pair.From == part[..dot])
            .Select(pair => $"{otherLayers}{layer}.{pair.To}{part[dot..]}")
            .FirstOrDefault();
    }

    /// <summary>Heads whose rows stand in pairs in a tensor of Hugging Face's name; 0 where none do.</summary>
    public int CountPairedHeads(string name, DecoderConfig config)
    {
        if (!PairsRotaryRows)
        {
            return 0;
        }

        return name.Contains(".self_attn.q_proj.", StringComparison.Ordinal) ? config.HeadCount
            : name.Contains(".self_attn.k_proj.", StringComparison.Ordinal) ? config.KeyValueHeadCount
            : 0;
    }

    /// <summary>Whether a tensor of Hugging Face's name is a norm that holds one plus its weight.</summary>
    public bool HoldsOne(string name) => NormsHoldOne && name.EndsWith("norm.weight", StringComparison.Ordinal);

    /// <summary>The file's row of a row of Hugging Face's, where heads of so many rows stand in pairs.</summary>
    public static long PairRow(long row, long headDim)
    {
        var (head, place) = Math.DivRem(row, headDim);
        var (half, plane) = Math.DivRem(place, headDim / 2);
        return head * headDim + 2 * plane + half;
    }
}
