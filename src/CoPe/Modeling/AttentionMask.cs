using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>Which key each query may see, as a bias on the scores: 0 or minus infinity.</summary>
static class AttentionMask
{
    /// <summary>
    /// Mask among the tokens of a pass: column j for query i iff <c>visible[i, j]</c> (null: j &lt;= i) and
    /// <c>position[i] - position[j] &lt; window</c>; a query always sees itself. The columns of a prefix stand before
    /// those of the pass.
    /// </summary>
    /// <returns>
    /// <c>[rows or 1, 1, seq, prefix + seq]</c>, the caller's; null where plain causal attention is meant.
    /// </returns>
    public static Tensor? CreateForPass(TokenBatch batch, int? window, ScalarType dtype)
    {
        var seq = batch.Ids.shape[1];
        var device = batch.Ids.device;
        if (batch.Prefix is null && batch.Visible is null && (window is null || window >= seq))
        {
            return null;
        }

        using var scope = NewDisposeScope();
        var visible = batch.Visible ?? ones([1, seq, seq], dtype: ScalarType.Bool, device: device).tril();
        if (window is { } width)
        {
            var distance = batch.Positions.unsqueeze(2).sub(batch.Positions.unsqueeze(1)); // [rows, seq, seq]
            visible = visible.logical_and(distance.lt(Scalars.Of(width)));
        }

        // A query that sees nothing would turn into NaN, which hidden columns would then spread: 0 * NaN is NaN.
        visible = visible.logical_or(eye(seq, dtype: ScalarType.Bool, device: device));
        if (batch.Prefix is { } prefix)
        {
            var ofRows = visible.expand(batch.Ids.shape[0], seq, seq);
            visible = cat([prefix.CreateVisible(batch.Positions, window), ofRows], 2);
        }

        return ToBias(visible.unsqueeze(1), dtype).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Mask over cache columns: column c for a query at position p iff c &lt;= p and p - c &lt; window.
    /// </summary>
    /// <returns>
    /// <c>[rows, 1, seq, columns]</c>, the caller's; null where every query sees every column.
    /// </returns>
    public static Tensor? CreateForCache(TokenBatch batch, int columns, int? window, ScalarType dtype)
    {
        if (batch.MinPosition >= columns - 1 && (window is null || window >= columns))
        {
            return null;
        }

        using var scope = NewDisposeScope();
        var columnIndex = Scalars.Range(0, columns, batch.Ids.device);
        var distance = batch.Positions.unsqueeze(-1).sub(columnIndex); // [rows, seq, columns]
        var visible = distance.ge(Scalars.Of(0));
        if (window is { } width)
        {
            visible = visible.logical_and(distance.lt(Scalars.Of(width)));
        }

        return ToBias(visible.unsqueeze(1), dtype).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A mask of <see cref="CreateForPass"/> (null: causal) for the output columns' queries alone,
    /// <c>[rows, 1, most, columns]</c>, the caller's.
    /// </summary>
    public static Tensor SelectQueries(TokenBatch batch, OutputColumns columns, Tensor? mask, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var (rows, seq) = (batch.Ids.shape[0], batch.Ids.shape[1]);
        mask ??= CreateCausal(seq, dtype, batch.Ids.device);
        var ofRows = mask.squeeze(1).expand(rows, seq, mask.shape[3]);
        return columns.Gather(ofRows).unsqueeze(1).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A mask of <see cref="CreateForPass"/> (null: causal) for explicit scores, in which the query heads that share a
    /// key head follow each other. Queries may be fewer than columns.
    /// </summary>
    /// <returns>
    /// <c>[rows * kvHeads, group * queries, columns]</c>, or <c>[1, group * queries, columns]</c> where all rows see
    /// alike; the caller's.
    /// </returns>
    public static Tensor FoldHeads(Tensor? mask, DecoderConfig config, long seq, ScalarType dtype, Device device)
    {
        using var scope = NewDisposeScope();
        mask ??= CreateCausal(seq, dtype, device);
        var (rows, queries, columns) = (mask.shape[0], mask.shape[2], mask.shape[3]);
        var group = config.HeadCount / config.KeyValueHeadCount;
        var heads = rows == 1 ? 1 : config.KeyValueHeadCount;
        return mask.expand(rows, heads, queries, columns)
            .repeat(1, 1, group, 1)
            .view(-1, group * queries, columns)
            .MoveToOuterDisposeScope();
    }

    /// <summary><c>[1, 1, seq, seq]</c>.</summary>
    static Tensor CreateCausal(long seq, ScalarType dtype, Device device) => CreateCausal(seq, seq, dtype, device);

    /// <summary>
    /// Mask in which the last query sees all columns, each before it one less, <c>[1, 1, queries, columns]</c>; the
    /// caller's.
    /// </summary>
    public static Tensor CreateCausal(long queries, long columns, ScalarType dtype, Device device)
    {
        using var scope = NewDisposeScope();
        var all = ones([1, 1, queries, columns], dtype: ScalarType.Bool, device: device);
        return ToBias(all.tril(columns - queries), dtype).MoveToOuterDisposeScope();
    }

    static Tensor ToBias(Tensor visible, ScalarType dtype)
    {
        var bias = zeros(visible.shape, dtype: dtype, device: visible.device);
        return bias.masked_fill_(visible.logical_not(), Scalars.Of(double.NegativeInfinity));
    }
}
