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

    int GroupSize => config.HeadCount / config.KeyValueHeadCount;

    /// <summary>
    /// x <c>[rows, seq, hidden]</c> mixed over what each column sees, <c>[rows, queries, hidden]</c>: every column is a
    /// query, in the last layer the wanted ones alone.
    /// </summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var view = pass.GetAttention(layer);
        var asking = view.Queries is { } wanted ? wanted.Gather(x) : x;
        var (rows, seq) = (asking.shape[0], asking.shape[1]);
        var q = Normalize(_query.Forward(asking, pass).view(rows, seq, config.HeadCount, config.HeadDim), "q_norm");
        var (k, v) = ComputeKeysAndValues(x, pass);
        using (pass.Profiler?.Enter("rotary positions"))
        {
            q = ScaleQueries(view.QueryRotary.Apply(q));
        }

        if (view.DecodeKernel is null)
        {
            using (pass.Profiler?.Enter("cache"))
            {
                pass.Cache?.Write(layer, k, v);
            }
        }

        using var attending = pass.Profiler?.Enter("attention");
        var mixed =
            view.DecodeKernel is { } step
                ? step.Attend(q, k, v, pass.Cache!.GetKeys(layer), pass.Cache.GetValues(layer))
            : view.ReadsCache ? AttendCached(q, pass.Cache!.GetKeys(layer), pass.Cache.GetValues(layer), view.Mask)
            : view.ScoreBias is { } bias ? AttendExplicitly(q, k, v, bias)
            : AttendFused(q, k, v, view.Mask);
        return _output
            .Forward(mixed.reshape(rows, seq, config.HeadCount * config.HeadDim), pass)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Writes the keys and values of x <c>[rows, seq, hidden]</c> into the pass's cache and does no more.
    /// </summary>
    public void Prefill(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var (k, v) = ComputeKeysAndValues(x, pass);
        pass.Cache!.Write(layer, k, v);
    }

    /// <summary>Both <c>[rows, seq, kvHeads, headDim]</c>, keys turned to their positions.</summary>
    (Tensor Keys, Tensor Values) ComputeKeysAndValues(Tensor x, ForwardPass pass)
    {
        var (rows, seq) = (x.shape[0], x.shape[1]);
        var k = Normalize(_key.Forward(x, pass).view(rows, seq, config.KeyValueHeadCount, config.HeadDim), "k_norm");
        var v = _value.Forward(x, pass).view(rows, seq, config.KeyValueHeadCount, config.HeadDim);
        using (pass.Profiler?.Enter("rotary positions"))
        {
            return (pass.GetAttention(layer).Rotary.Apply(k), v);
        }
    }

    Tensor Normalize(Tensor heads, string norm) =>
        config.QueryKeyNorm
            ? RmsNorm.Apply(heads, weights[$"{_name}.{norm}.weight"], config.NormEpsilon, config.NormAddsOne)
            : heads;

    /// <summary>
    /// The kernel divides scores by the root of the head's width; where the model wants another divisor the queries
    /// make up for it.
    /// </summary>
    Tensor ScaleQueries(Tensor q) =>
        config.QueryScalar is { } scalar && scalar != config.HeadDim
            ? q.mul(Scalars.Of(Math.Sqrt(config.HeadDim / scalar)))
            : q;

    /// <summary>
    /// Keys and values of this pass, repeated for the query heads that share them. Returns <c>[rows, queries, heads,
    /// headDim]</c>.
    /// </summary>
    Tensor AttendFused(Tensor q, Tensor k, Tensor v, Tensor? mask) =>
        scaled_dot_product_attention(
                q.transpose(1, 2),
                RepeatKeyHeads(k),
                RepeatKeyHeads(v),
                mask,
                0,
                is_casual: mask is null
            )
            .transpose(1, 2);

    Tensor RepeatKeyHeads(Tensor heads)
    {
        var spread = heads.transpose(1, 2); // [rows, kvHeads, seq, headDim]
        if (GroupSize == 1)
        {
            return spread;
        }

        var (rows, seq) = (heads.shape[0], heads.shape[1]);
        return spread
            .unsqueeze(2)
            .expand(rows, config.KeyValueHeadCount, GroupSize, seq, config.HeadDim)
            .reshape(rows, config.HeadCount, seq, config.HeadDim);
    }

    /// <summary>
    /// <c>softmax(q k^T / sqrt(headDim) + bias) v</c> with the scores written out, query heads that share a key head
    /// folded into more queries of it. In bf16, torch's fused attention
    /// multiplies block by block and its backward pass takes three times as long as this. Returns <c>[rows, queries,
    /// heads, headDim]</c>.
    /// </summary>
    Tensor AttendExplicitly(Tensor q, Tensor k, Tensor v, Tensor bias)
    {
        var (rows, queries, seq, heads) = (q.shape[0], q.shape[1], k.shape[1], config.KeyValueHeadCount);
        var folded = q.transpose(1, 2).reshape(rows * heads, GroupSize * queries, config.HeadDim);
        var keys = k.transpose(1, 2).reshape(rows * heads, seq, config.HeadDim);
        var values = v.transpose(1, 2).reshape(rows * heads, seq, config.HeadDim);
        // [rows * kvHeads, group * queries, seq].
        var scores = bias.add(MatrixProduct.Multiply(folded, keys), Scalars.Of(1 / Math.Sqrt(config.HeadDim)));
        return MatrixProduct
            .Multiply(scores.softmax(-1), values.transpose(1, 2))
            .view(rows, config.HeadCount, queries, config.HeadDim)
            .transpose(1, 2);
    }

    /// <summary>
    /// Query heads that share a key head become more queries of it, so that the cache is read in place. Returns
    /// <c>[rows, seq, heads, headDim]</c>.
    /// </summary>
    Tensor AttendCached(Tensor q, Tensor k, Tensor v, Tensor? mask)
    {
        var (rows, seq, heads) = (q.shape[0], q.shape[1], config.KeyValueHeadCount);
        var folded = q.transpose(1, 2).reshape(rows, heads, GroupSize * seq, config.HeadDim);
        // [rows, 1, group * seq, columns].
        var foldedMask = mask is null || seq == 1 || GroupSize == 1 ? mask : mask.repeat(1, 1, GroupSize, 1);
        var mixed = scaled_dot_product_attention(
            folded,
            k.transpose(1, 2),
            v.transpose(1, 2),
            foldedMask,
            0,
            is_casual: false
        );
        return mixed.view(rows, config.HeadCount, seq, config.HeadDim).transpose(1, 2);
    }
}

/// <summary>
/// Rotary position embedding: turns plane i of a head, coordinates (i, i + headDim / 2), by position * frequency[i].
/// </summary>
sealed class RotaryEmbedding
{
    readonly Tensor _cosine; // [rows, seq, 1, headDim]
    readonly Tensor _signedSine; // [rows, seq, 1, headDim], first half negated

    RotaryEmbedding(Tensor cosine, Tensor signedSine) => (_cosine, _signedSine) = (cosine, signedSine);

    /// <summary>
    /// Angles in float32 as Hugging Face computes them; the tables belong to the dispose scope in force.
    /// </summary>
    public RotaryEmbedding(Tensor positions, float[] frequencies, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        // [rows, seq, headDim / 2].
        var angles = positions.to(ScalarType.Float32).unsqueeze(-1).mul(tensor(frequencies, device: positions.device));
        var (cos, sin) = (angles.cos(), angles.sin());
        _cosine = cat([cos, cos], -1).unsqueeze(2).to(dtype).MoveToOuterDisposeScope();
        _signedSine = cat([sin.neg(), sin], -1).unsqueeze(2).to(dtype).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// The tables of the wanted columns, <c>[rows, most, 1, headDim]</c>, which belong to the dispose scope in force.
    /// </summary>
    public RotaryEmbedding Select(OutputColumns wanted) => new(wanted.Gather(_cosine), wanted.Gather(_signedSine));

    /// <summary>
    /// <c>x * cos + (x with halves swapped) * (-sin, sin)</c> for x <c>[rows, seq, heads, headDim]</c>.
    /// </summary>
    public Tensor Apply(Tensor x)
    {
        if (DecodeRotary.Supports(x))
        {
            return DecodeRotary.Apply(x, _cosine, _signedSine);
        }

        using var scope = NewDisposeScope();
        return x.roll(x.shape[^1] / 2, -1).mul(_signedSine).addcmul(x, _cosine, Scalars.One).MoveToOuterDisposeScope();
    }
}
