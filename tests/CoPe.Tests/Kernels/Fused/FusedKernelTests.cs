using CoPe.Kernels;
using CoPe.Kernels.Fused;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels.Fused;

/// <summary>The kernels of a decoding step against the same formula in float64.</summary>
[Collection("torch")]
public class FusedKernelTests
{
    [Theory]
    [InlineData(3, 40, false)]
    [InlineData(3, 40, true)]
    [InlineData(9, 896, false)]
    [InlineData(1, 5, true)] // narrower than a register
    public void Norm_equals_float64(int rows, int width, bool addOne)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var (x, weight) = (Numbers(1, rows, 1, width), Numbers(2, width));
        Assert.True(FusedRmsNorm.Supports(x, weight));
        var wide = x.to(ScalarType.Float64);
        var exact =
            wide
            * (wide.pow(2).mean([-1], keepdim: true) + 1e-6).rsqrt()
            * (weight.to(ScalarType.Float64) + (addOne ? 1 : 0));
        AssertNear(exact, FusedRmsNorm.Apply(x, weight, 1e-6, addOne), roundings: 2);
    }

    [Theory]
    [InlineData(2, 16)]
    [InlineData(5, 1000)]
    [InlineData(1, 3001)]
    public void SiluMul_equals_float64(int rows, int width)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var (opened, value) = (Numbers(1, rows, 1, width) * 4, Numbers(2, rows, 1, width));
        Assert.True(FusedSiluMul.Supports(opened, value));
        var wide = opened.to(ScalarType.Float64);
        AssertNear(
            wide / (1 + (-wide).exp()) * value.to(ScalarType.Float64),
            FusedSiluMul.Apply(opened, value),
            roundings: 2
        );
    }

    [Fact]
    public void SiluMul_keeps_its_limits()
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var opened = tensor(new[] { float.NegativeInfinity, -200, 0, 200, float.NaN, 1, 1, 1 }, [1, 1, 8])
            .to(ScalarType.BFloat16);
        var gated = FusedSiluMul.Apply(opened, ones_like(opened)).to(ScalarType.Float32).data<float>().ToArray();
        Assert.Equal([0f, 0f, 200f], [gated[1], gated[2], gated[3]]);
        Assert.True(float.IsNaN(gated[4]));
    }

    [Fact]
    public void The_exponential_is_right_to_two_units_in_the_last_place()
    {
        for (var x = -87.3; x < 88.7; x += 0.00137)
        {
            var exact = Math.Exp((float)x);
            Assert.InRange(Exp((float)x), exact - 2 * Ulp(exact), exact + 2 * Ulp(exact));
        }
        static double Ulp(double value) => MathF.BitIncrement((float)value) - (double)(float)value;
    }

    [Theory]
    [InlineData(float.NegativeInfinity, 0)]
    [InlineData(-120, 0)]
    [InlineData(0, 1)]
    [InlineData(120, float.PositiveInfinity)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void The_exponential_keeps_its_limits(float x, float expected) => Assert.Equal(expected, Exp(x));

    static float Exp(float x) => FastExp<FloatVector256>.Compute(FloatVector256.Broadcast(x)).Value[3];

    [Theory]
    [InlineData(1, 16, 16, false)]
    [InlineData(4, 64, 64, false)]
    [InlineData(3, 64, 48, false)]
    [InlineData(3, 40, 32, true)]
    [InlineData(2, 16, 16, true)]
    public void Rotary_positions_equal_float64(int heads, int headDim, int width, bool isInterleaved)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        var (x, cosine, sine) = (
            Numbers(1, 3, 1, heads, headDim),
            Numbers(2, 3, 1, 1, width),
            Numbers(3, 3, 1, 1, width)
        );
        Assert.True(DecodeRotary.Supports(x, cosine));
        var wide = x.to(ScalarType.Float64);
        var moving = wide.narrow(-1, 0, width);
        var other = Enumerable.Range(0, width).Select(i => (long)(isInterleaved ? i ^ 1 : (i + width / 2) % width));
        var swapped = moving.index_select(-1, tensor(other.ToArray()));
        var rotated = moving * cosine.to(ScalarType.Float64) + swapped * sine.to(ScalarType.Float64);
        AssertNear(
            cat([rotated, wide.narrow(-1, width, headDim - width)], -1),
            DecodeRotary.Apply(x, cosine, sine, isInterleaved),
            roundings: 1
        );
    }

    [Theory]
    [InlineData(8, 64, 32)]
    [InlineData(3, 37, 11)]
    [InlineData(16, 300, 700)]
    public void Each_row_gets_the_terms_of_its_own_adapter(int rank, int inputs, int outputs)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        int[][] adapters =
        [
            [2, -1, 0, 2],
            [-1, -1, 1, 0],
        ]; // of two terms, the second of another rank
        double[] scalings = [.5, 2];
        var (x, y) = (Numbers(3, 4, 1, inputs), Numbers(4, 4, 1, outputs));
        Assert.True(DecodeLora.Supports(x, y));
        var (exact, terms) = (y.to(ScalarType.Float64), new List<DecodeLora.Term>());
        for (var i = 0; i < 2; i++)
        {
            var (own, scaling) = (adapters[i], scalings[i]);
            var (a, b) = (
                randn([3, rank + i, inputs], generator: new Generator(1, CPU)),
                randn([3, outputs, rank + i], generator: new Generator(2, CPU))
            );
            var factors = DecodeLora.Factors.TryCreate(a, b)!;
            terms.Add(new(row => own[row] < 0 ? null : (factors, own[row]), factors, scaling));
            for (var row = 0; row < 4; row++)
            {
                if (own[row] >= 0)
                {
                    exact[row] +=
                        x[row]
                            .to(ScalarType.Float64)
                            .matmul(a[own[row]].to(ScalarType.Float64).t())
                            .matmul(b[own[row]].to(ScalarType.Float64).t()) * scaling;
                }
            }
        }
        var before = y[1].clone();
        DecodeLora.AddTo(y, x, terms);
        AssertNear(exact, y, roundings: 1);
        Assert.True(y[1].equal(before).all().item<bool>());
    }

    [Theory]
    [InlineData(1, 1, 16, null, null)]
    [InlineData(6, 2, 32, null, null)]
    [InlineData(14, 2, 64, null, null)]
    [InlineData(14, 2, 64, 7, null)]
    [InlineData(4, 4, 48, 5, null)]
    [InlineData(4, 4, 48, 5, 1.5)]
    [InlineData(14, 2, 64, null, 3.0)]
    public void Attention_sees_each_rows_own_columns(int heads, int keyHeads, int width, int? window, double? softCap)
    {
        using var scope = NewDisposeScope();
        using var mode = inference_mode();
        long[] positions = [0, 36, 5];
        var (q, k, v) = (
            Numbers(1, 3, 1, heads, width) * 3,
            Numbers(2, 3, 1, keyHeads, width),
            Numbers(3, 3, 1, keyHeads, width)
        );
        var (keys, values) = (
            Numbers(4, 3, keyHeads, 40, width).transpose(1, 2),
            Numbers(5, 3, keyHeads, 40, width).transpose(1, 2)
        );
        var mixed = new DecodeAttention(positions, window, softCap).Attend(q, k, v, keys, values);
        for (var row = 0; row < 3; row++)
        {
            var (position, first) = (positions[row], Math.Max(0, positions[row] + 1 - (window ?? 100)));
            Assert.True(
                keys[row][position].equal(k[row][0]).all().item<bool>()
                    && values[row][position].equal(v[row][0]).all().item<bool>()
            );
            for (var head = 0; head < heads; head++)
            {
                Tensor Seen(Tensor cache) =>
                    cache[row]
                        .narrow(0, first, position + 1 - first)
                        .select(1, head / (heads / keyHeads))
                        .to(ScalarType.Float64); // [columns, width]
                var scores = Seen(keys).matmul(q[row][0][head].to(ScalarType.Float64)) / Math.Sqrt(width);
                var probabilities = (softCap is { } cap ? (scores / cap).tanh() * cap : scores).softmax(-1);
                AssertNear(probabilities.matmul(Seen(values)), mixed[row][0][head], roundings: 1, slack: 1e-3);
            }
        }
    }

    [Fact]
    public void Float32_several_positions_and_tracked_numbers_are_left_to_torch()
    {
        using var scope = NewDisposeScope();
        var weight = Numbers(1, 32);
        Assert.False(FusedRmsNorm.Supports(ones([1, 1, 32]), weight));
        Assert.False(FusedRmsNorm.Supports(Numbers(1, 1, 1, 32), weight.clone().requires_grad_()));
        Assert.False(DecodeRotary.Supports(Numbers(1, 1, 2, 4, 32), Numbers(1, 1, 2, 1, 32)));
        Assert.False(DecodeRotary.Supports(Numbers(1, 1, 1, 4, 24), Numbers(1, 1, 1, 1, 24)));
        Assert.False(FusedSiluMul.Supports(Numbers(1, 1, 1, 32), ones([1, 1, 32])));
        using var noGrad = no_grad();
        Assert.False(DecodeAttention.Supports(ones([1, 2], dtype: ScalarType.Int64), ScalarType.BFloat16, 64));
        Assert.False(DecodeAttention.Supports(ones([1, 1], dtype: ScalarType.Int64), ScalarType.BFloat16, 24));
        Assert.True(DecodeAttention.Supports(ones([1, 1], dtype: ScalarType.Int64), ScalarType.BFloat16, 64));
    }

    static Tensor Numbers(int seed, params long[] shape) =>
        randn(shape, generator: new Generator((ulong)seed, CPU)).to(ScalarType.BFloat16);

    /// <summary>
    /// A rounding to bf16 costs at most 2^-8 of a number; float32 sums of a few hundred numbers about 1e-5.
    /// </summary>
    static void AssertNear(Tensor exact, Tensor computed, int roundings, double slack = 1e-4)
    {
        using var excess = (computed.to(ScalarType.Float64) - exact).abs() - exact.abs() * (roundings / 250.0);
        Assert.True(excess.max().item<double>() < slack, $"off by {excess.max().item<double>()}");
    }
}
