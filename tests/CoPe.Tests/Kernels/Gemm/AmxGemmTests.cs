using CoPe.Kernels;
using CoPe.Kernels.Gemm;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels.Gemm;

/// <summary>The kernel against the same products in float64.</summary>
public unsafe class AmxGemmTests
{
    const string NoTiles = "this processor has no AMX, or the system does not allow it";

    public static TheoryData<int, int, int> Shapes =>
        new()
        {
            { 1, 32, 32 },
            { 16, 64, 96 },
            { 17, 32, 64 },
            { 31, 96, 1056 }, // more than one chunk of depth
            { 33, 1056, 64 },
            { 64, 320, 256 },
            { 529, 608, 96 }, // more rows than are multiplied at a time
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Both_products_equal_those_in_float64(int m, int n, int k)
    {
        Assert.SkipUnless(AmxBf16Kernel.IsSupported, NoTiles);
        var random = new Random(m + n + k);
        var (x, w, bias) = (CreateNumbers(random, m * k), CreateNumbers(random, n * k), CreateBias(random, n));
        CheckProduct(Multiply(x, w, bias, new(m, n, k), 2), m, n, k, (i, j, l) => (x[i * k + l], w[j * k + l]), bias);

        var g = CreateNumbers(random, m * n);
        CheckProduct(
            MultiplyTransposed(g, w, new(m, n, k), 2),
            m,
            k,
            n,
            (i, j, l) => (g[i * n + l], w[l * k + j]),
            new float[k]
        );
    }

    [Fact]
    public void A_row_has_the_same_bits_in_any_batch_and_with_any_number_of_threads()
    {
        Assert.SkipUnless(AmxBf16Kernel.IsSupported, NoTiles);
        const int n = 864,
            k = 1120;
        var random = new Random(1);
        var (x, g, w) = (CreateNumbers(random, 70 * k), CreateNumbers(random, 70 * n), CreateNumbers(random, n * k));
        var bias = CreateBias(random, n);
        var all = Multiply(x, w, bias, new(70, n, k), threads: 2);
        var allTransposed = MultiplyTransposed(g, w, new(70, n, k), threads: 2);
        foreach (var m in (int[])[1, 20, 32, 33, 47, 64])
        {
            Assert.Equal(all[..(m * n)], Multiply(x[..(m * k)], w, bias, new(m, n, k), threads: 1));
            Assert.Equal(allTransposed[..(m * k)], MultiplyTransposed(g[..(m * n)], w, new(m, n, k), threads: 1));
        }
    }

    [Fact]
    public void Infinity_and_not_a_number_stay_in_their_row()
    {
        Assert.SkipUnless(AmxBf16Kernel.IsSupported, NoTiles);
        var random = new Random(2);
        var (x, w) = (CreateNumbers(random, 40 * 64), CreateNumbers(random, 32 * 64));
        x[3 * 64 + 5] = Bf16.FromSingle(float.PositiveInfinity);
        x[39 * 64] = Bf16.FromSingle(float.NaN);
        var y = Multiply(x, w, new float[32], new(40, 32, 64), 1);
        for (var i = 0; i < 40; i++)
        {
            var isFinite = y[(i * 32)..((i + 1) * 32)].All(bits => float.IsFinite(Bf16.ToSingle(bits)));
            Assert.Equal(i is not (3 or 39), isFinite);
        }
    }

    static ushort[] Multiply(ushort[] x, ushort[] w, float[] bias, SkinnyGemm.Shape shape, int threads)
    {
        var y = new ushort[shape.M * shape.N];
        fixed (
            ushort* px = x,
                pw = w,
                py = y
        )
        fixed (float* pb = bias)
        {
            AmxGemm.Multiply(new(px, pw, pb, py, shape), threads);
        }

        return y;
    }

    static ushort[] MultiplyTransposed(ushort[] g, ushort[] w, SkinnyGemm.Shape shape, int threads)
    {
        var y = new ushort[shape.M * shape.K];
        fixed (
            ushort* pg = g,
                pw = w,
                py = y
        )
        {
            AmxGradientGemm.Multiply(pg, pw, py, shape, threads);
        }

        return y;
    }

    static void CheckProduct(
        ushort[] y,
        int rows,
        int columns,
        int depth,
        Func<int, int, int, (ushort, ushort)> getFactors,
        float[] bias
    )
    {
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                var (exact, size) = ((double)bias[j], Math.Abs((double)bias[j]));
                for (var l = 0; l < depth; l++)
                {
                    var (a, b) = getFactors(i, j, l);
                    var term = (double)Bf16.ToSingle(a) * Bf16.ToSingle(b);
                    (exact, size) = (exact + term, size + Math.Abs(term));
                }

                // Rounding the result costs at most 2^-8 of it; float32 sums about depth * 2^-24 of the terms' size.
                var tolerance = Math.Abs(exact) / 256 + size * depth / (1 << 24) + 1e-30;
                Assert.Equal(exact, Bf16.ToSingle(y[i * columns + j]), tolerance);
            }
        }
    }

    static ushort[] CreateNumbers(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Bf16.FromSingle((float)(random.NextDouble() * 2 - 1)))];

    static float[] CreateBias(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble())];
}

[Collection("torch")]
public class AmxLinearTests
{
    const string NoTiles = "this processor has no AMX, or the system does not allow it";

    [Fact]
    public void The_gradient_of_its_input_is_that_of_torch()
    {
        Assert.SkipUnless(AmxBf16Kernel.IsSupported, NoTiles);
        using var scope = NewDisposeScope();
        var weight = randn([64, 96], generator: new Generator(1, CPU)).to(ScalarType.BFloat16);
        var bias = randn([64], generator: new Generator(2, CPU)).to(ScalarType.BFloat16);
        var x = randn([3, 20, 96], generator: new Generator(3, CPU)).to(ScalarType.BFloat16).requires_grad_();
        var factors = randn([3, 20, 64], generator: new Generator(4, CPU)).to(ScalarType.BFloat16);
        var linear = AmxLinear.TryCreate(weight, bias)!;
        Assert.True(linear.Supports(x));
        linear.Multiply(x).mul(factors).sum().backward();

        var wide = x.detach().to(ScalarType.Float64).requires_grad_();
        var exact = nn.functional.linear(wide, weight.to(ScalarType.Float64), bias.to(ScalarType.Float64));
        exact.mul(factors.to(ScalarType.Float64)).sum().backward();
        Assert.True(linear.Multiply(x).to(ScalarType.Float64).sub(exact).abs().max().item<double>() < 0.13);
        Assert.True(x.grad!.to(ScalarType.Float64).sub(wide.grad!).abs().max().item<double>() < 0.13);
    }

    [Fact]
    public void Few_rows_other_types_and_sizes_that_are_no_tiles_are_left_to_others()
    {
        Assert.SkipUnless(AmxBf16Kernel.IsSupported, NoTiles);
        using var scope = NewDisposeScope();
        var linear = AmxLinear.TryCreate(ones([64, 96], dtype: ScalarType.BFloat16))!;
        Assert.False(linear.Supports(ones([16, 96], dtype: ScalarType.BFloat16)));
        Assert.False(linear.Supports(ones([40, 96])));
        Assert.False(linear.Supports(ones([96, 40], dtype: ScalarType.BFloat16).t()));
        Assert.Null(AmxLinear.TryCreate(ones([65, 96], dtype: ScalarType.BFloat16)));
        Assert.Null(AmxLinear.TryCreate(ones([64, 97], dtype: ScalarType.BFloat16)));
        Assert.Null(AmxLinear.TryCreate(ones([64, 96])));
        Assert.Null(AmxLinear.TryCreate(ones([64, 96], dtype: ScalarType.BFloat16).requires_grad_()));
    }

    [Fact]
    public void A_pass_forth_and_back_leaves_no_tensor_behind()
    {
        Assert.SkipUnless(AmxBf16Kernel.IsSupported, NoTiles);
        using var weight = ones([64, 96], dtype: ScalarType.BFloat16);
        var linear = AmxLinear.TryCreate(weight)!;
        PassForthAndBack(linear);
        var before = TensorCount.AfterGarbageCollection();
        PassForthAndBack(linear);
        Assert.Equal(before, TensorCount.AfterGarbageCollection());
    }

    static void PassForthAndBack(AmxLinear linear)
    {
        using var scope = NewDisposeScope();
        var x = ones([40, 96], dtype: ScalarType.BFloat16).requires_grad_();
        linear.Multiply(x).sum().backward();
        x.grad!.Dispose();
    }
}
