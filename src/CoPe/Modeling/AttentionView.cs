using CoPe.Kernels;

namespace CoPe.Modeling;

/// <summary>What one kind of layer (seeing everything, or sliding, or the last) uses in a pass; shared by all layers of the kind.</summary>
/// <param name="rotary">Rotary tables of the pass's positions.</param>
/// <param name="mask">Added to the scores, <c>[rows or 1, 1, queries, columns]</c>; null: causal without a cache, everything with one.</param>
/// <param name="scoreBias">Where scores are written out rather than fused: the same mask for folded heads, <c>[rows * kvHeads or 1, group * queries, seq]</c>; else null.</param>
sealed class AttentionView(RotaryEmbedding rotary, Tensor? mask, Tensor? scoreBias)
{
    public RotaryEmbedding Rotary { get; } = rotary;

    /// <summary>Rotary tables of the columns that ask.</summary>
    public RotaryEmbedding QueryRotary { get; init; } = rotary;

    /// <summary>The columns that ask, where they are not all: those wanted of the last layer.</summary>
    public WantedColumns? Queries { get; init; }

    public Tensor? Mask { get; } = mask;

    public Tensor? ScoreBias { get; } = scoreBias;

    /// <summary>One position a row over the cache by our own kernel, which needs no mask; else null.</summary>
    public StepAttention? Step { get; init; }

    /// <summary>Keys and values come from the cache rather than from the pass alone.</summary>
    public bool ReadsCache { get; init; }
}
