using CoPe.Kernels.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace CoPe.Modeling;

/// <summary>Grouped-query self-attention (Ainslie et al., 2023, arXiv 2305.13245) with rotary positions.</summary>
sealed class Attention(DecoderConfig config, ModelWeights weights, int layer)
{
    readonly string _name = $"{WeightLayout.GetLayerName(layer)}.self_attn";
    readonly JointLinear _inputs = CreateInputs(config, weights, $"{WeightLayout.GetLayerName(layer)}.self_attn");
    readonly Linear _output = new(weights, $"{WeightLayout.GetLayerName(layer)}.self_attn.o_proj");

    /// <summary>Query heads that share a key head.</summary>
    int GroupSize => config.HeadCount / config.KeyValueHeadCount;

    static JointLinear CreateInputs(DecoderConfig config, ModelWeights weights, string name)
    {
        var keys = config.KeyValueHeadCount * config.HeadDim;
        LinearPart[] parts =
        [
            new($"{name}.q_proj", config.HeadCount * config.HeadDim),
            new($"{name}.k_proj", keys),
            new($"{name}.v_proj", keys),
        ];
        return new JointLinear(weights, config.FusedQueryKeyValue ? $"{name}.qkv_proj" : null, parts);
    }

    /// <summary>
    /// What the columns of x <c>[rows, seq, hidden]</c> attend to, <c>[rows, queries, hidden]</c>, owned by the caller.
    /// Every column is a query; in the last layer, the output columns alone.
    /// </summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var inputs = pass.GetAttention(layer);
        var projected = Project(x, inputs.Queries, pass);
        var q = SplitHeads(projected.Queries, "q_norm", config.HeadCount);
        var (k, v) = FinishKeysAndValues(projected, inputs, pass);
        if (pass.Prefix is not null)
        {
            (k, v) = pass.Prefix.Prepend(layer, k, v);
        }

        using (pass.Profiler?.Enter("rotary positions"))
        {
            q = ScaleQueries(inputs.QueryRotary is { } rotary ? rotary.ApplyToQueries(q) : q);
        }

        // The decoding kernel writes the cache itself.
        if (inputs.DecodeKernel is null && pass.Cache is not null)
        {
            using var section = pass.Profiler?.Enter("cache");
            pass.Cache.Write(layer, k, v);
        }

        using var attending = pass.Profiler?.Enter("attention");
        var attended = Attend(q, k, v, inputs, pass.Cache); // [rows, queries, heads, headDim]
        var joined = attended.reshape(q.shape[0], q.shape[1], config.HeadCount * config.HeadDim);
        return _output.Forward(joined, pass, inputs.Queries).MoveToOuterDisposeScope();
    }

    /// <summary>Writes the keys and values of x <c>[rows, seq, hidden]</c> into the pass's cache, no more.</summary>
    public void Prefill(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var projected = _inputs.IsFused
            ? Project(x, queries: null, pass)
            : new Projections(x, _inputs.ForwardSingle(1, x, pass), _inputs.ForwardSingle(2, x, pass));
        var (k, v) = FinishKeysAndValues(projected, pass.GetAttention(layer), pass);
        pass.Cache!.Write(layer, k, v);
    }

    /// <summary>Of all columns of x; queries of the given ones alone, where not all are.</summary>
    Projections Project(Tensor x, OutputColumns? queries, ForwardPass pass)
    {
        if (_inputs.IsFused || queries is null)
        {
            var parts = _inputs.Forward(x, pass);
            return new Projections(queries is null ? parts[0] : queries.Gather(parts[0]), parts[1], parts[2]);
        }

        var q = _inputs.ForwardSingle(0, queries.Gather(x), pass, queries);
        return new Projections(q, _inputs.ForwardSingle(1, x, pass), _inputs.ForwardSingle(2, x, pass));
    }

    /// <summary>Both <c>[rows, seq, kvHeads, headDim]</c>, keys rotated to their positions.</summary>
    (Tensor Keys, Tensor Values) FinishKeysAndValues(Projections projected, AttentionInputs inputs, ForwardPass pass)
    {
        var k = SplitHeads(projected.Keys, "k_norm", config.KeyValueHeadCount);
        var v = projected.Values;
        v = v.view(v.shape[0], v.shape[1], config.KeyValueHeadCount, config.HeadDim);
        using var section = pass.Profiler?.Enter("rotary positions");
        return (inputs.Rotary is { } rotary ? rotary.Apply(k) : k, v);
    }

    /// <summary>
    /// From <c>[rows, columns, heads * headDim]</c> to <c>[rows, columns, heads, headDim]</c>, normalized before or
    /// after they are split, where the model has such norms.
    /// </summary>
    Tensor SplitHeads(Tensor projected, string norm, int heads)
    {
        var (rows, columns) = (projected.shape[0], projected.shape[1]);
        if (!config.QueryKeyNorm)
        {
            return projected.view(rows, columns, heads, config.HeadDim);
        }

        return config.QueryKeyNormAcrossHeads
            ? Normalize(projected).view(rows, columns, heads, config.HeadDim)
            : Normalize(projected.view(rows, columns, heads, config.HeadDim));

        Tensor Normalize(Tensor x) =>
            RmsNorm.Apply(x, weights[$"{_name}.{norm}.weight"], config.NormEpsilon, config.NormAddsOne);
    }

    /// <summary>
    /// Scores are divided by the root of the head's width; where the model wants another factor, the queries make up
    /// for it.
    /// </summary>
    Tensor ScaleQueries(Tensor q)
    {
        var factor = config.ScoreFactor * Math.Sqrt(config.HeadDim);
        return Math.Abs(factor - 1) < 1e-12 ? q : q.mul(Scalars.Of(factor));
    }

    Tensor Attend(Tensor q, Tensor k, Tensor v, AttentionInputs inputs, KvCacheView? cache)
    {
        if (inputs.DecodeKernel is not null)
        {
            return inputs.DecodeKernel.Attend(q, k, v, cache!.GetKeys(layer), cache.GetValues(layer));
        }

        if (config.AttentionSoftCap is { } cap)
        {
            var (keys, values) = inputs.ReadsCache ? (cache!.GetKeys(layer), cache.GetValues(layer)) : (k, v);
            var isCausal = inputs.Mask is null && !inputs.ReadsCache;
            return CappedAttention.Attend(q, keys, values, inputs.Mask, isCausal, cap);
        }

        if (inputs.ComputesScores)
        {
            return AttendExplicitly(q, k, v, inputs.ScoreBias!);
        }

        if (inputs.ReadsCache)
        {
            return AttendCached(q, cache!.GetKeys(layer), cache.GetValues(layer), inputs.Mask);
        }

        return AttendFused(q, k, v, inputs.Mask);
    }

    /// <summary>
    /// By torch's fused kernel over the keys and values given, repeated for the query heads that share them.
    /// Returns <c>[rows, queries, heads, headDim]</c>.
    /// </summary>
    Tensor AttendFused(Tensor q, Tensor k, Tensor v, Tensor? mask)
    {
        var (keys, values) = (RepeatKeyHeads(k), RepeatKeyHeads(v));
        var attended = scaled_dot_product_attention(q.transpose(1, 2), keys, values, mask, 0, is_casual: mask is null);
        return attended.transpose(1, 2);
    }

    /// <summary>Of <c>[rows, seq, kvHeads, headDim]</c>, <c>[rows, heads, seq, headDim]</c>.</summary>
    Tensor RepeatKeyHeads(Tensor heads)
    {
        var byHead = heads.transpose(1, 2); // [rows, kvHeads, seq, headDim]
        if (GroupSize == 1)
        {
            return byHead;
        }

        var (rows, seq) = (heads.shape[0], heads.shape[1]);
        return byHead
            .unsqueeze(2)
            .expand(rows, config.KeyValueHeadCount, GroupSize, seq, config.HeadDim)
            .reshape(rows, config.HeadCount, seq, config.HeadDim);
    }

    /// <summary>
    /// <c>softmax(q k^T / sqrt(headDim) + bias) v</c> with the scores computed explicitly, query heads that share a key
    /// head folded into more queries of it: in bf16, where torch's fused attention multiplies block by block and its
    /// backward pass takes three times as long as this. Returns <c>[rows, queries, heads, headDim]</c>.
    /// </summary>
    /// <param name="q">Queries <c>[rows, queries, heads, headDim]</c>.</param>
    /// <param name="k">Keys <c>[rows, columns, kvHeads, headDim]</c>.</param>
    /// <param name="v">Values of the same shape.</param>
    /// <param name="bias">
    /// <c>[rows * kvHeads or 1, group * queries, columns]</c>.
    /// </param>
    Tensor AttendExplicitly(Tensor q, Tensor k, Tensor v, Tensor bias)
    {
        var (rows, queries, columns) = (q.shape[0], q.shape[1], k.shape[1]);
        var batch = rows * config.KeyValueHeadCount;
        var folded = q.transpose(1, 2).reshape(batch, GroupSize * queries, config.HeadDim);
        var keys = k.transpose(1, 2).reshape(batch, columns, config.HeadDim);
        var values = v.transpose(1, 2).reshape(batch, columns, config.HeadDim);

        var products = MatrixProduct.Multiply(folded, keys);
        var scores = bias.add(products, Scalars.Of(1 / Math.Sqrt(config.HeadDim))); // [batch, group * queries, columns]
        var attended = MatrixProduct.Multiply(scores.softmax(-1), values.transpose(1, 2));
        return attended.view(rows, config.HeadCount, queries, config.HeadDim).transpose(1, 2);
    }

    /// <summary>
    /// By torch's fused kernel over cached keys and values, which are read in place: query heads that share a key head
    /// become more queries of it. Returns <c>[rows, seq, heads, headDim]</c>.
    /// </summary>
    Tensor AttendCached(Tensor q, Tensor k, Tensor v, Tensor? mask)
    {
        var (rows, seq) = (q.shape[0], q.shape[1]);
        var folded = q.transpose(1, 2).reshape(rows, config.KeyValueHeadCount, GroupSize * seq, config.HeadDim);
        if (mask is not null && seq > 1 && GroupSize > 1)
        {
            mask = mask.repeat(1, 1, GroupSize, 1); // [rows, 1, group * seq, columns]
        }

        var (keys, values) = (k.transpose(1, 2), v.transpose(1, 2));
        var attended = scaled_dot_product_attention(folded, keys, values, mask, 0, is_casual: false);
        return attended.view(rows, config.HeadCount, seq, config.HeadDim).transpose(1, 2);
    }
}

/// <summary>Projections of one attention, <c>[rows, columns, heads * headDim]</c> each.</summary>
/// <param name="queries">Of the columns that are queries.</param>
/// <param name="keys">Of all columns.</param>
/// <param name="values">Of all columns.</param>
readonly struct Projections(Tensor queries, Tensor keys, Tensor values)
{
    public Tensor Queries { get; } = queries;

    public Tensor Keys { get; } = keys;

    public Tensor Values { get; } = values;
}
