using CoPe.Kernels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace CoPe.Modeling;

/// <summary>Grouped-query self-attention (Ainslie et al., 2023, arXiv 2305.13245) with rotary positions.</summary>
sealed class Attention(DecoderConfig config, ModelWeights weights, int layer)
{
    readonly string name = $"{WeightLayout.Layer(layer)}.self_attn";
    readonly Linear query = new(weights, $"{WeightLayout.Layer(layer)}.self_attn.q_proj");
    readonly Linear key = new(weights, $"{WeightLayout.Layer(layer)}.self_attn.k_proj");
    readonly Linear value = new(weights, $"{WeightLayout.Layer(layer)}.self_attn.v_proj");
    readonly Linear output = new(weights, $"{WeightLayout.Layer(layer)}.self_attn.o_proj");

    int Group => config.HeadCount / config.KeyValueHeadCount;

    /// <summary>x <c>[rows, seq, hidden]</c> mixed over what each column sees, <c>[rows, queries, hidden]</c>: every column is a query, in the last layer the wanted ones alone.</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var view = pass.ViewOf(layer);
        var asking = view.Queries is { } wanted ? wanted.Of(x) : x;
        var (rows, seq) = (asking.shape[0], asking.shape[1]);
        var q = Normed(query.Forward(asking, pass).view(rows, seq, config.HeadCount, config.HeadDim), "q_norm");
        var (k, v) = KeysAndValues(x, pass);
        using (pass.Clock?.Enter("rotary positions")) q = Scaled(view.QueryRotary.Apply(q));
        if (view.Step is null)
            using (pass.Clock?.Enter("cache")) pass.Cache?.Write(layer, k, v);
        using var attending = pass.Clock?.Enter("attention");
        var mixed = view.Step is { } step ? step.Attend(q, k, v, pass.Cache!.Keys(layer), pass.Cache.Values(layer))
            : view.ReadsCache ? Folded(q, pass.Cache!.Keys(layer), pass.Cache.Values(layer), view.Mask)
            : view.ScoreBias is { } bias ? Explicit(q, k, v, bias) : Spread(q, k, v, view.Mask);
        return output.Forward(mixed.reshape(rows, seq, config.HeadCount * config.HeadDim), pass).MoveToOuterDisposeScope();
    }

    /// <summary>Writes the keys and values of x <c>[rows, seq, hidden]</c> into the pass's cache and does no more.</summary>
    public void FillCache(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var (k, v) = KeysAndValues(x, pass);
        pass.Cache!.Write(layer, k, v);
    }

    /// <summary>Both <c>[rows, seq, kvHeads, headDim]</c>, keys turned to their positions.</summary>
    (Tensor Keys, Tensor Values) KeysAndValues(Tensor x, ForwardPass pass)
    {
        var (rows, seq) = (x.shape[0], x.shape[1]);
        var k = Normed(key.Forward(x, pass).view(rows, seq, config.KeyValueHeadCount, config.HeadDim), "k_norm");
        var v = value.Forward(x, pass).view(rows, seq, config.KeyValueHeadCount, config.HeadDim);
        using (pass.Clock?.Enter("rotary positions")) return (pass.ViewOf(layer).Rotary.Apply(k), v);
    }

    Tensor Normed(Tensor heads, string norm) => config.QueryKeyNorm ? RmsNorm.Apply(heads, weights[$"{name}.{norm}.weight"], config.NormEpsilon, config.NormAddsOne) : heads;

    /// <summary>The kernel divides scores by the root of the head's width; where the model wants another divisor the queries make up for it.</summary>
    Tensor Scaled(Tensor q) => config.QueryScalar is { } scalar && scalar != config.HeadDim ? q.mul(Scalars.Of(Math.Sqrt(config.HeadDim / scalar))) : q;

    /// <summary>Keys and values of this pass, repeated for the query heads that share them. Returns <c>[rows, queries, heads, headDim]</c>.</summary>
    Tensor Spread(Tensor q, Tensor k, Tensor v, Tensor? mask) =>
        scaled_dot_product_attention(q.transpose(1, 2), Repeated(k), Repeated(v), mask, 0, is_casual: mask is null).transpose(1, 2);

    Tensor Repeated(Tensor heads)
    {
        var spread = heads.transpose(1, 2); // [rows, kvHeads, seq, headDim]
        if (Group == 1) return spread;
        var (rows, seq) = (heads.shape[0], heads.shape[1]);
        return spread.unsqueeze(2).expand(rows, config.KeyValueHeadCount, Group, seq, config.HeadDim).reshape(rows, config.HeadCount, seq, config.HeadDim);
    }

    /// <summary>
    /// <c>softmax(q k^T / sqrt(headDim) + bias) v</c> with the scores written out, query heads that share a key head folded into more queries of it. In bf16, torch's fused attention
    /// multiplies block by block and its backward pass takes three times as long as this. Returns <c>[rows, queries, heads, headDim]</c>.
    /// </summary>
    Tensor Explicit(Tensor q, Tensor k, Tensor v, Tensor bias)
    {
        var (rows, queries, seq, heads) = (q.shape[0], q.shape[1], k.shape[1], config.KeyValueHeadCount);
        var folded = q.transpose(1, 2).reshape(rows * heads, Group * queries, config.HeadDim);
        var keys = k.transpose(1, 2).reshape(rows * heads, seq, config.HeadDim);
        var values = v.transpose(1, 2).reshape(rows * heads, seq, config.HeadDim);
        var scores = bias.add(MatrixProduct.Of(folded, keys), Scalars.Of(1 / Math.Sqrt(config.HeadDim))); // [rows * kvHeads, group * queries, seq]
        return MatrixProduct.Of(scores.softmax(-1), values.transpose(1, 2)).view(rows, config.HeadCount, queries, config.HeadDim).transpose(1, 2);
    }

    /// <summary>Query heads that share a key head become more queries of it, so that the cache is read in place. Returns <c>[rows, seq, heads, headDim]</c>.</summary>
    Tensor Folded(Tensor q, Tensor k, Tensor v, Tensor? mask)
    {
        var (rows, seq, heads) = (q.shape[0], q.shape[1], config.KeyValueHeadCount);
        var folded = q.transpose(1, 2).reshape(rows, heads, Group * seq, config.HeadDim);
        var foldedMask = mask is null || seq == 1 || Group == 1 ? mask : mask.repeat(1, 1, Group, 1); // [rows, 1, group * seq, columns]
        var mixed = scaled_dot_product_attention(folded, k.transpose(1, 2), v.transpose(1, 2), foldedMask, 0, is_casual: false);
        return mixed.view(rows, config.HeadCount, seq, config.HeadDim).transpose(1, 2);
    }
}
