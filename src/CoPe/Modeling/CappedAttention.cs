using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Attention whose scores are capped before the mask (Gemma 2; arXiv 2408.00118, section 2), which torch's fused
/// attention cannot. Of long texts it is computed a few queries at a time, and in training once more in the backward
/// pass, so that no more than <see cref="MaxScores"/> scores are in memory.
/// </summary>
sealed class CappedAttention : autograd.SingleTensorFunction<CappedAttention>
{
    /// <summary>Scores of all heads that are computed at once: 16 MB in float32.</summary>
    const long MaxScores = 1 << 22;

    readonly bool _isCausal;
    readonly double _cap;

    /// <summary>For autograd, which creates one to call its passes.</summary>
    public CappedAttention() { }

    CappedAttention(bool isCausal, double cap) => (_isCausal, _cap) = (isCausal, cap);

    public override string Name => nameof(CappedAttention);

    /// <summary>
    /// <c>softmax(cap * tanh(q k^T / (sqrt(headDim) * cap)) + mask) v</c>, <c>[rows, queries, heads, headDim]</c>, the
    /// caller's.
    /// </summary>
    /// <param name="q">Queries <c>[rows, queries, heads, headDim]</c>.</param>
    /// <param name="k">Keys <c>[rows, columns, kvHeads, headDim]</c>.</param>
    /// <param name="v">Values of the same shape.</param>
    /// <param name="mask">
    /// Added to the scores, <c>[rows or 1, 1, queries, columns]</c>; null: every query sees every column or, if
    /// <paramref name="isCausal"/>, those up to its own.
    /// </param>
    /// <param name="isCausal">Whether queries and columns are the same and the mask is null.</param>
    /// <param name="cap">Bound of the scores.</param>
    /// <param name="maxScores">Most scores at once.</param>
    public static Tensor Attend(
        Tensor q,
        Tensor k,
        Tensor v,
        Tensor? mask,
        bool isCausal,
        double cap,
        long maxScores = MaxScores
    )
    {
        using var scope = NewDisposeScope();
        var attention = new CappedAttention(isCausal, cap);
        var (rows, queries, heads) = (q.shape[0], q.shape[1], q.shape[2]);
        var most = Math.Max(1, maxScores / (rows * heads * k.shape[1]));
        if (queries <= most)
        {
            return attention.Compute(q, k, v, mask, new Chunk(0, queries)).MoveToOuterDisposeScope();
        }

        var isTracked = is_grad_enabled() && (q.requires_grad || k.requires_grad || v.requires_grad);
        var chunks = new List<Tensor>();
        for (var first = 0L; first < queries; first += most)
        {
            var chunk = new Chunk(first, Math.Min(most, queries - first));
            chunks.Add(isTracked ? Track(chunk) : attention.Compute(q, k, v, mask, chunk));
        }

        return cat(chunks, 1).MoveToOuterDisposeScope();

        Tensor Track(Chunk chunk) =>
            mask is null ? apply(attention, chunk, q, k, v) : apply(attention, chunk, q, k, v, mask);
    }

    /// <summary>The same for some of the queries.</summary>
    Tensor Compute(Tensor q, Tensor k, Tensor v, Tensor? mask, Chunk chunk)
    {
        using var scope = NewDisposeScope();
        var (rows, heads, kvHeads, headDim) = (q.shape[0], q.shape[2], k.shape[2], q.shape[3]);
        var columns = _isCausal ? chunk.First + chunk.Count : k.shape[1]; // those beyond are hidden from all
        var batch = rows * kvHeads;
        // Query heads that share a key head are more queries of it.
        var folded = q.narrow(1, chunk.First, chunk.Count)
            .transpose(1, 2)
            .reshape(batch, heads / kvHeads * chunk.Count, headDim);
        var keys = k.narrow(1, 0, columns).transpose(1, 2).reshape(batch, columns, headDim);
        var values = v.narrow(1, 0, columns).transpose(1, 2).reshape(batch, columns, headDim);

        var products = MatrixProduct.Multiply(folded, keys).mul(Scalars.Of(1 / Math.Sqrt(headDim)));
        var scores = SoftCap.Apply(products, _cap).view(rows, heads, chunk.Count, columns);
        var bias = _isCausal
            ? AttentionMask.CreateCausal(chunk.Count, columns, q.dtype, q.device)
            : mask?.narrow(2, chunk.First, chunk.Count);
        scores = bias is null ? scores : scores.add(bias, Scalars.One);

        var weights = scores.softmax(-1).view(folded.shape[0], folded.shape[1], columns);
        return MatrixProduct
            .Multiply(weights, values.transpose(1, 2))
            .view(rows, heads, chunk.Count, headDim)
            .transpose(1, 2)
            .MoveToOuterDisposeScope();
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (attention, chunk) = ((CappedAttention)vars[0], (Chunk)vars[1]);
        List<Tensor> tensors = [.. vars.Skip(2).Cast<Tensor>()];
        ctx.save_for_backward(tensors);
        ctx.save_data("attention", attention);
        ctx.save_data("chunk", chunk);
        using var noGrad = no_grad();
        return attention.Compute(tensors[0], tensors[1], tensors[2], tensors.ElementAtOrDefault(3), chunk);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        using var grad = enable_grad();
        var attention = (CappedAttention)ctx.get_data("attention");
        var chunk = (Chunk)ctx.get_data("chunk");
        var saved = ctx.get_saved_variables();
        var inputs = saved.Take(3).Select(tensor => tensor.detach()).ToList();
        inputs.ForEach(input => input.requires_grad = true);
        var mask = saved.ElementAtOrDefault(3);
        var output = attention.Compute(inputs[0], inputs[1], inputs[2], mask, chunk);
        autograd.backward([output], [grad_output]);
        var gradients = inputs.Select(input => input.grad!.MoveToOuterDisposeScope());
        return mask is null ? [null!, null!, .. gradients] : [null!, null!, .. gradients, null!];
    }

    /// <summary>Queries that are computed at once.</summary>
    sealed record Chunk(long First, long Count);
}
