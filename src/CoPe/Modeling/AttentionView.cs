using CoPe.Kernels;

namespace CoPe.Modeling;

/// <summary>What one kind of layer (seeing everything, or sliding) uses in a pass; shared by all layers of the kind.</summary>
/// <param name="rotary">Rotary tables of the pass's positions.</param>
/// <param name="mask">Added to the scores, <c>[rows or 1, 1, seq, columns]</c>; null: causal without a cache, everything with one.</param>
/// <param name="scoreBias">Where scores are written out rather than fused: the same mask for folded heads, <c>[rows * kvHeads or 1, group * seq, seq]</c>; else null.</param>
/// <param name="step">One position a row over the cache by our own kernel, which needs no mask; else null.</param>
/// <param name="queries">The columns that ask and their rotary tables, where they are not all (in the last layer); mask and bias are theirs, <c>[rows, 1, queries, seq]</c> and <c>[rows * kvHeads, group * queries, seq]</c>.</param>
/// <param name="readsCache">Keys and values come from the cache rather than from the pass alone.</param>
sealed class AttentionView(RotaryEmbedding rotary, Tensor? mask, Tensor? scoreBias, StepAttention? step, bool readsCache, (WantedColumns Columns, RotaryEmbedding Rotary)? queries = null)
{
    public RotaryEmbedding Rotary { get; } = rotary;

    public RotaryEmbedding QueryRotary => queries?.Rotary ?? Rotary;

    public WantedColumns? Queries => queries?.Columns;

    public Tensor? Mask { get; } = mask;

    public Tensor? ScoreBias { get; } = scoreBias;

    public StepAttention? Step { get; } = step;

    public bool ReadsCache { get; } = readsCache;
}
