using CoPe.Kernels.Fused;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace CoPe.Modeling;

/// <summary>Grouped-query self-attention (Ainslie et al., 2023, arXiv 2305.13245) with rotary positions.</summary>
sealed class Attention(DecoderConfig config, ModelWeights weights, int layer)
{
    readonly string _name = $"{WeightLayout.GetLayerName(layer)}.self_attn";
    readonly Linear _query = new(weights, $"{WeightLayout.GetLayerName(layer)}.self_attn.q_proj");
    readonly Linear _key = new(weights, $"{WeightLayout.GetLayerName(layer)}.self_attn.k_proj");
    readonly Linear _value = new(weights, $"{WeightLayout.GetLayerName(layer)}.self_attn.v_proj");
    readonly Linear _output = new(weights, $"{WeightLayout.GetLayerName(layer)}.self_attn.o_proj");

    /// <summary>Query heads that share a key head.</summary>
    int GroupSize => config.HeadCount / config.KeyValueHeadCount;

    /// <summary>
    /// What the columns of x <c>[rows, seq, hidden]</c> attend to, <c>[rows, queries, hidden]</c>, owned by the caller.
    /// Every column is a query; in the last layer, the output columns alone.
    /// </summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var inputs = pass.GetAttention(layer);
        var q = ComputeQueries(x, inputs, pass);
        var (k, v) = ComputeKeysAndValues(x, inputs, pass);
        if (pass.Prefix is not null)
        {
            (k, v) = pass.Prefix.Prepend(layer, k, v);
        }

        using (pass.Profiler?.Enter("rotary positions"))
        {
            q = ScaleQueries(inputs.QueryRotary.Apply(q));
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
        var (k, v) = ComputeKeysAndValues(x, pass.GetAttention(layer), pass);
        pass.Cache!.Write(layer, k, v);
    }

    /// <summary><c>[rows, queries, heads, headDim]</c>, not yet rotated.</summary>
    Tensor ComputeQueries(Tensor x, AttentionInputs inputs, ForwardPass pass)
    {
        var columns = inputs.Queries is null ? x : inputs.Queries.Gather(x);
        var (rows, queries) = (columns.shape[0], columns.shape[1]);
        var q = _query.Forward(columns, pass, inputs.Queries).view(rows, queries, config.HeadCount, config.HeadDim);
        return NormalizeHeads(q, "q_norm");
    }

    /// <summary>Both <c>[rows, seq, kvHeads, headDim]</c>, keys rotated to their positions.</summary>
    (Tensor Keys, Tensor Values) ComputeKeysAndValues(Tensor x, AttentionInputs inputs, ForwardPass pass)
    {
        var (rows, seq) = (x.shape[0], x.shape[1]);
        var k = _key.Forward(x, pass).view(rows, seq, config.KeyValueHeadCount, config.HeadDim);
        k = NormalizeHeads(k, "k_norm");
        var v = _value.Forward(x, pass).view(rows, seq, config.KeyValueHeadCount, config.HeadDim);
        using var section = pass.Profiler?.Enter("rotary positions");
        return (inputs.Rotary.Apply(k), v);
    }

    Tensor NormalizeHeads(Tensor heads, string norm)
    {
        if (!config.QueryKeyNorm)
        {
            return heads;
        }

        return RmsNorm.Apply(heads, weights[$"{_name}.{norm}.weight"], config.NormEpsilon, config.NormAddsOne);
    }

    /// <summary>
    /// Scores are divided by the root of the head's width; where the model wants another divisor, the queries make up
    /// for it.
    /// </summary>
    Tensor ScaleQueries(Tensor q)
    {
        if (config.QueryScalar is not { } scalar || scalar == config.HeadDim)
        {
            return q;
        }

        return q.mul(Scalars.Of(Math.Sqrt(config.HeadDim / scalar)));
    }

    Tensor Attend(Tensor q, Tensor k, Tensor v, AttentionInputs inputs, KvCacheView? cache)
    {
        if (inputs.DecodeKernel is not null)
        {
            return inputs.DecodeKernel.Attend(q, k, v, cache!.GetKeys(layer), cache.GetValues(layer));
        }

        if (inputs.ReadsCache)
        {
            return AttendCached(q, cache!.GetKeys(layer), cache.GetValues(layer), inputs.Mask);
        }

        return inputs.ScoreBias is null
            ? AttendFused(q, k, v, inputs.Mask)
            : AttendExplicitly(q, k, v, inputs.ScoreBias);
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
    /// head folded into more queries of it. In bf16, torch's fused attention multiplies block by block and its backward
    /// pass takes three times as long as this. Returns <c>[rows, queries, heads, headDim]</c>.
    /// </summary>
    Tensor AttendExplicitly(Tensor q, Tensor k, Tensor v, Tensor bias)
    {
        var (rows, queries, seq) = (q.shape[0], q.shape[1], k.shape[1]);
        var batch = rows * config.KeyValueHeadCount;
        var folded = q.transpose(1, 2).reshape(batch, GroupSize * queries, config.HeadDim);
        var keys = k.transpose(1, 2).reshape(batch, seq, config.HeadDim);
        var values = v.transpose(1, 2).reshape(batch, seq, config.HeadDim);

        var products = MatrixProduct.Multiply(folded, keys);
        var scores = bias.add(products, Scalars.Of(1 / Math.Sqrt(config.HeadDim))); // [batch, group * queries, seq]
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

/// <summary>
/// Rotary position embedding (Su et al., 2021, arXiv 2104.09864): rotates plane i of a head, coordinates
/// (i, i + headDim / 2), by position * frequency[i].
/// </summary>
sealed class RotaryEmbedding
{
    readonly Tensor _cosine; // [rows, seq, 1, headDim]
    readonly Tensor _signedSine; // [rows, seq, 1, headDim], first half negated

    /// <summary>
    /// Tables for positions <c>[rows, seq]</c>. Angles in float32, as Hugging Face computes them; the tables belong to
    /// the dispose scope in force.
    /// </summary>
    public RotaryEmbedding(Tensor positions, float[] frequencies, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var perPosition = tensor(frequencies, device: positions.device);
        var angles = positions.to(ScalarType.Float32).unsqueeze(-1).mul(perPosition); // [rows, seq, headDim / 2]
        var (cos, sin) = (angles.cos(), angles.sin());
        _cosine = cat([cos, cos], -1).unsqueeze(2).to(dtype).MoveToOuterDisposeScope();
        _signedSine = cat([sin.neg(), sin], -1).unsqueeze(2).to(dtype).MoveToOuterDisposeScope();
    }

    RotaryEmbedding(Tensor cosine, Tensor signedSine)
    {
        _cosine = cosine;
        _signedSine = signedSine;
    }

    /// <summary>
    /// The tables of the output columns, <c>[rows, most, 1, headDim]</c>, which belong to the dispose scope in force.
    /// </summary>
    public RotaryEmbedding Select(OutputColumns columns) => new(columns.Gather(_cosine), columns.Gather(_signedSine));

    /// <summary>
    /// <c>x * cos + (x with halves swapped) * (-sin, sin)</c> for x <c>[rows, seq, heads, headDim]</c>; the result is
    /// of its shape and the caller's.
    /// </summary>
    public Tensor Apply(Tensor x)
    {
        if (DecodeRotary.Supports(x))
        {
            return DecodeRotary.Apply(x, _cosine, _signedSine);
        }

        using var scope = NewDisposeScope();
        var swapped = x.roll(x.shape[^1] / 2, -1);
        return swapped.mul(_signedSine).addcmul(x, _cosine, Scalars.One).MoveToOuterDisposeScope();
    }
}
