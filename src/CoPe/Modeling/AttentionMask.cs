using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>Which key each query may see, as a bias on the scores: 0 or minus infinity.</summary>
static class AttentionMask
{
    /// <summary>
    /// Mask among the tokens of a pass: column j for query i iff <c>visible[i, j]</c> (null: j &lt;= i) and
    /// <c>position[i] - position[j] &lt; window</c>; a query always sees itself.
    /// Null where plain causal attention is meant.
    /// </summary>
    public static Tensor? CreateForPass(TokenBatch batch, int? window, ScalarType dtype)
    {
        var seq = batch.Ids.shape[1];
        if (batch.Visible is null && (window is null || window >= seq))
        {
            return null;
        }

        using var scope = NewDisposeScope();
        var visible = batch.Visible ?? ones([1, seq, seq], dtype: ScalarType.Bool, device: batch.Ids.device).tril();
        if (window is { } width)
        {
            visible = visible.logical_and(
                batch.Positions.unsqueeze(2).sub(batch.Positions.unsqueeze(1)).lt(Scalars.Of(width))
            ); // [rows, seq, seq]
        }
        // A query that sees nothing would turn into NaN, which hidden columns would then spread: 0 * NaN is NaN.
        visible = visible.logical_or(eye(seq, dtype: ScalarType.Bool, device: batch.Ids.device));
        return ToBias(visible.unsqueeze(1), dtype).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A mask of <see cref="CreateForPass"/> (null: causal) for the wanted columns alone, <c>[rows, 1, most, seq]</c>.
    /// </summary>
    public static Tensor SelectQueries(TokenBatch batch, OutputColumns wanted, Tensor? mask, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var (rows, seq) = (batch.Ids.shape[0], batch.Ids.shape[1]);
        mask ??= CreateCausal(seq, dtype, batch.Ids.device);
        return wanted.Gather(mask.squeeze(1).expand(rows, seq, seq)).unsqueeze(1).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A mask of <see cref="CreateForPass"/> (null: causal) for scores <c>[rows * kvHeads, group * seq, seq]</c> in
    /// which the query heads that share a key head follow each other:
    /// <c>[rows * kvHeads, group * seq, seq]</c>, or <c>[1, group * seq, seq]</c> where all rows see alike. Queries may
    /// be fewer than columns.
    /// </summary>
    public static Tensor FoldHeads(Tensor? mask, DecoderConfig config, long seq, ScalarType dtype, Device device)
    {
        using var scope = NewDisposeScope();
        mask ??= CreateCausal(seq, dtype, device);
        var (rows, queries, heads, group) = (
            mask.shape[0],
            mask.shape[2],
            config.KeyValueHeadCount,
            config.HeadCount / config.KeyValueHeadCount
        );
        return mask.expand(rows, rows == 1 ? 1 : heads, queries, seq)
            .repeat(1, 1, group, 1)
            .view(-1, group * queries, seq)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Mask over cache columns: column c for a query at position p iff c &lt;= p and p - c &lt; window. Null where
    /// every query sees every column.
    /// </summary>
    public static Tensor? CreateForCache(TokenBatch batch, int columns, int? window, ScalarType dtype)
    {
        if (batch.MinPosition >= columns - 1 && (window is null || window >= columns))
        {
            return null;
        }

        using var scope = NewDisposeScope();
        // [rows, seq, columns].
        var distance = batch.Positions.unsqueeze(-1).sub(Scalars.Range(0, columns, batch.Ids.device));
        var visible = distance.ge(Scalars.Of(0));
        if (window is { } width)
        {
            visible = visible.logical_and(distance.lt(Scalars.Of(width)));
        }

        return ToBias(visible.unsqueeze(1), dtype).MoveToOuterDisposeScope();
    }

    static Tensor CreateCausal(long seq, ScalarType dtype, Device device)
    {
        using var scope = NewDisposeScope();
        return ToBias(ones([1, 1, seq, seq], dtype: ScalarType.Bool, device: device).tril(), dtype)
            .MoveToOuterDisposeScope(); // [1, 1, seq, seq]
    }

    static Tensor ToBias(Tensor visible, ScalarType dtype) =>
        zeros(visible.shape, dtype: dtype, device: visible.device)
            .masked_fill_(visible.logical_not(), Scalars.Of(double.NegativeInfinity));
}
