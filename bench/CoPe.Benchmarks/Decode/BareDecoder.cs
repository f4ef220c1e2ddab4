using CoPe.Modeling;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace CoPe.Benchmarks.Decode;

/// <summary>A forward pass by torch's own operations alone, one row with a cache, without adapters: half of what the reference does for a token. Owns its cache.</summary>
sealed class BareDecoder : IDisposable
{
    readonly CausalLm model;
    readonly DecoderConfig config;
    readonly int columns;
    readonly List<(Tensor Keys, Tensor Values)> cache = []; // [1, kvHeads, columns, headDim]

    /// <summary>With a cache of so many columns, the last of which each step writes anew.</summary>
    public BareDecoder(CausalLm model, int columns)
    {
        (this.model, config, this.columns) = (model, model.Config, columns);
        for (var i = 0; i < config.LayerCount; i++) cache.Add((Empty(), Empty()));
        Tensor Empty() => zeros([1, config.KeyValueHeadCount, columns, config.HeadDim], dtype: ScalarType.BFloat16).DetachFromDisposeScope();
    }

    /// <summary>One token after a full cache: its logits are computed and dropped.</summary>
    public void Step() => Forward([7], columns - 1);

    /// <summary>A prompt that fills the cache, logits at every position.</summary>
    public void Prefill() => Forward([.. Enumerable.Range(0, columns).Select(i => (long)i % 1000)], 0);

    void Forward(long[] ids, int position)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var weights = model.Weights;
        var seq = ids.Length;
        var rotary = new RotaryEmbedding(arange(position, position + seq, dtype: ScalarType.Int64).unsqueeze(0), config.Rope.Frequencies(config.HeadDim), ScalarType.BFloat16);
        var hidden = weights[WeightLayout.Embedding].index_select(0, tensor(ids)).unsqueeze(0); // [1, seq, hidden]
        for (var i = 0; i < config.LayerCount; i++)
        {
            using var layerScope = NewDisposeScope();
            var layer = WeightLayout.Layer(i);
            var x = Norm(hidden, $"{layer}.input_layernorm.weight");
            var q = rotary.Apply(Product(x, $"{layer}.self_attn.q_proj").view(1, seq, config.HeadCount, config.HeadDim)).transpose(1, 2);
            var k = rotary.Apply(Product(x, $"{layer}.self_attn.k_proj").view(1, seq, config.KeyValueHeadCount, config.HeadDim)).transpose(1, 2);
            var v = Product(x, $"{layer}.self_attn.v_proj").view(1, seq, config.KeyValueHeadCount, config.HeadDim).transpose(1, 2);
            cache[i].Keys.narrow(2, position, seq).copy_(k);
            cache[i].Values.narrow(2, position, seq).copy_(v);
            var mixed = Attend(q, cache[i].Keys, cache[i].Values, seq);
            hidden = hidden + Product(mixed.transpose(1, 2).reshape(1, seq, -1), $"{layer}.self_attn.o_proj");
            var y = Norm(hidden, $"{layer}.post_attention_layernorm.weight");
            hidden = (hidden + Product(silu(Product(y, $"{layer}.mlp.gate_proj")).mul(Product(y, $"{layer}.mlp.up_proj")), $"{layer}.mlp.down_proj")).MoveToOuterDisposeScope();
        }
        linear(Norm(hidden, WeightLayout.FinalNorm), weights[config.TiedHead ? WeightLayout.Embedding : WeightLayout.Head], null).to(ScalarType.Float32);
    }

    Tensor Norm(Tensor x, string weight)
    {
        var wide = x.to(ScalarType.Float32);
        return wide.mul(wide.pow(2).mean([-1], keepdim: true).add_(config.NormEpsilon).rsqrt_()).to(ScalarType.BFloat16).mul(model.Weights[weight]);
    }

    Tensor Attend(Tensor q, Tensor k, Tensor v, int seq)
    {
        var group = config.HeadCount / config.KeyValueHeadCount;
        if (seq == 1) // query heads of a group become queries of one key head
            return scaled_dot_product_attention(q.reshape(1, config.KeyValueHeadCount, group, config.HeadDim), k, v, null, 0, is_casual: false).view(1, config.HeadCount, 1, config.HeadDim);
        Tensor Repeated(Tensor heads) => heads.unsqueeze(2).expand(1, config.KeyValueHeadCount, group, columns, config.HeadDim).reshape(1, config.HeadCount, columns, config.HeadDim);
        return scaled_dot_product_attention(q, Repeated(k), Repeated(v), null, 0, is_casual: true);
    }

    Tensor Product(Tensor x, string name) => linear(x.contiguous(), model.Weights[$"{name}.weight"], model.Weights.Names.Contains($"{name}.bias") ? model.Weights[$"{name}.bias"] : null);

    public void Dispose()
    {
        foreach (var (keys, values) in cache)
        {
            keys.Dispose();
            values.Dispose();
        }
    }
}
