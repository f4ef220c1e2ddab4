using System.Runtime.Intrinsics;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace CoPe.Benchmarks.Decode;

/// <summary>
/// A forward pass by torch's own operations alone, one row with a cache, without adapters: half of what the reference
/// does for a token. Owns its cache.
/// </summary>
sealed class TorchDecoder : IDisposable
{
    readonly CausalLm _model;
    readonly DecoderConfig _config;
    readonly int _columns;
    readonly List<(Tensor Keys, Tensor Values)> _cache = []; // [1, kvHeads, columns, headDim]

    /// <summary>With a cache of so many columns, the last of which each step overwrites.</summary>
    public TorchDecoder(CausalLm model, int columns)
    {
        (_model, _config, _columns) = (model, model.Config, columns);
        for (var i = 0; i < _config.LayerCount; i++)
        {
            _cache.Add((Empty(), Empty()));
        }

        Tensor Empty() =>
            zeros([1, _config.KeyValueHeadCount, columns, _config.HeadDim], dtype: ScalarType.BFloat16)
                .DetachFromDisposeScope();
    }

    /// <summary>One token after a full cache: its logits are computed and dropped.</summary>
    public void Step() => Forward([7], _columns - 1);

    /// <summary>A prompt that fills the cache, logits at every position.</summary>
    public void Prefill() => Forward([.. Enumerable.Range(0, _columns).Select(i => (long)i % 1000)], 0);

    void Forward(long[] ids, int position)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var weights = _model.Weights;
        var seq = ids.Length;
        var rotary = new RotaryEmbedding(
            arange(position, position + seq, dtype: ScalarType.Int64).unsqueeze(0),
            _config.Rope,
            tensor(_config.Rope.ComputeFrequencies(_config.HeadDim)),
            ScalarType.BFloat16
        );
        var hidden = weights[WeightLayout.Embedding].index_select(0, tensor(ids)).unsqueeze(0); // [1, seq, hidden]
        for (var i = 0; i < _config.LayerCount; i++)
        {
            using var layerScope = NewDisposeScope();
            var layer = WeightLayout.GetLayerName(i);
            var x = Normalize(hidden, $"{layer}.input_layernorm.weight");
            var q = rotary
                .Apply(Multiply(x, $"{layer}.self_attn.q_proj").view(1, seq, _config.HeadCount, _config.HeadDim))
                .transpose(1, 2);
            var k = rotary
                .Apply(
                    Multiply(x, $"{layer}.self_attn.k_proj").view(1, seq, _config.KeyValueHeadCount, _config.HeadDim)
                )
                .transpose(1, 2);
            var v = Multiply(x, $"{layer}.self_attn.v_proj")
                .view(1, seq, _config.KeyValueHeadCount, _config.HeadDim)
                .transpose(1, 2);
            _cache[i].Keys.narrow(2, position, seq).copy_(k);
            _cache[i].Values.narrow(2, position, seq).copy_(v);
            var mixed = Attend(q, _cache[i].Keys, _cache[i].Values, seq);
            hidden = hidden + Multiply(mixed.transpose(1, 2).reshape(1, seq, -1), $"{layer}.self_attn.o_proj");
            var y = Normalize(hidden, $"{layer}.post_attention_layernorm.weight");
            hidden = (
                hidden
                + Multiply(
                    silu(Multiply(y, $"{layer}.mlp.gate_proj")).mul(Multiply(y, $"{layer}.mlp.up_proj")),
                    $"{layer}.mlp.down_proj"
                )
            ).MoveToOuterDisposeScope();
        }
        linear(
                Normalize(hidden, WeightLayout.FinalNorm),
                weights[_config.TiedHead ? WeightLayout.Embedding : WeightLayout.Head],
                null
            )
            .to(ScalarType.Float32);
    }

    Tensor Normalize(Tensor x, string weight)
    {
        var wide = x.to(ScalarType.Float32);
        return wide.mul(wide.pow(2).mean([-1], keepdim: true).add_(_config.NormEpsilon).rsqrt_())
            .to(ScalarType.BFloat16)
            .mul(_model.Weights[weight]);
    }

    Tensor Attend(Tensor q, Tensor k, Tensor v, int seq)
    {
        var group = _config.HeadCount / _config.KeyValueHeadCount;
        if (seq == 1) // query heads of a group become queries of one key head
        {
            return scaled_dot_product_attention(
                    q.reshape(1, _config.KeyValueHeadCount, group, _config.HeadDim),
                    k,
                    v,
                    null,
                    0,
                    is_casual: false
                )
                .view(1, _config.HeadCount, 1, _config.HeadDim);
        }

        Tensor Repeated(Tensor heads) =>
            heads
                .unsqueeze(2)
                .expand(1, _config.KeyValueHeadCount, group, _columns, _config.HeadDim)
                .reshape(1, _config.HeadCount, _columns, _config.HeadDim);
        return scaled_dot_product_attention(q, Repeated(k), Repeated(v), null, 0, is_casual: true);
    }

    Tensor Multiply(Tensor x, string name) =>
        linear(
            x.contiguous(),
            _model.Weights[$"{name}.weight"],
            _model.Weights.Names.Contains($"{name}.bias") ? _model.Weights[$"{name}.bias"] : null
        );

    public void Dispose()
    {
        foreach (var (keys, values) in _cache)
        {
            keys.Dispose();
            values.Dispose();
        }
    }
}

/// <summary>Reads the weights that a decoding step needs and does nothing with them: no step can be faster.</summary>
sealed unsafe class MemoryReadFloor(CausalLm model)
{
    const long Chunk = 1 << 20;

    readonly (nint Start, long Bytes)[] _pieces =
    [
        .. model.Quantization is not null
            ? model.Weights.Quantized.Values.SelectMany(weights => Pieces(weights.Packed.Start, weights.Packed.Bytes))
            : model
                .Weights.Parameters()
                .Where(weight => weight.dim() == 2)
                .SelectMany(weight => Pieces((long)TensorMemory.GetPointer(weight), weight.numel() * 2)),
    ];
    long _sink;

    static IEnumerable<(nint, long)> Pieces(long start, long bytes)
    {
        for (long at = 0; at < bytes; at += Chunk)
        {
            yield return ((nint)(start + at), Math.Min(Chunk, bytes - at));
        }
    }

    /// <summary>
    /// One read with so many threads; an embedding that is not also the head is read nevertheless, which makes the
    /// floor a little high.
    /// </summary>
    public void Read(int threads) =>
        Parallel.For(
            0,
            _pieces.Length,
            new ParallelOptions { MaxDegreeOfParallelism = threads },
            piece => Interlocked.Add(ref _sink, Sum(_pieces[piece].Start, _pieces[piece].Bytes))
        );

    static long Sum(nint start, long bytes)
    {
        var data = (ulong*)start;
        Vector512<ulong> a = default,
            b = default,
            c = default,
            d = default;
        for (long i = 0; i + 32 <= bytes / 8; i += 32)
        {
            a ^= Vector512.Load(data + i);
            b ^= Vector512.Load(data + i + 8);
            c ^= Vector512.Load(data + i + 16);
            d ^= Vector512.Load(data + i + 24);
        }
        return (long)Vector512.Sum(a ^ b ^ c ^ d);
    }
}
