using CoPe.Kernels;
using CoPe.Kernels.Gemm;
using CoPe.Kernels.Torch;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels.Gemm;

/// <summary>Kernels against the same product in float64.</summary>
public unsafe class SkinnyGemmTests
{
    public static TheoryData<int, int, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, int, int>();
            for (var m = 1; m <= 8; m++)
            {
                foreach (var (n, k) in new[] { (1, 1), (2, 16), (3, 31), (5, 32), (7, 33), (10, 100), (33, 256) })
                {
                    shapes.Add(m, n, k);
                }
            }

            shapes.Add(3, 4097, 256); // several chunks
            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_width_equals_the_float64_product(int m, int n, int k)
    {
        Check(SkinnyGemm.Multiply<FloatVector512>, m, n, k);
        Check(SkinnyGemm.Multiply<FloatVector256>, m, n, k);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Vdpbf16_equals_the_float64_product(int m, int n, int k)
    {
        Assert.SkipUnless(
            Vdpbf16Kernel.IsSupported,
            "this processor has no AVX512_BF16, or the system allows no code made at run time"
        );
        Check(SkinnyGemm.MultiplyVdpbf16, m, n, k);
        Check(SkinnyGemm.MultiplyVdpbf16, m + 24, n, k);
    }

    delegate void Product(in SkinnyGemm.Operands operands, int threads);

    static void Check(Product multiply, int m, int n, int k)
    {
        var random = new Random(m * 1000 + n + k);
        var (x, w, y) = (Numbers(random, m * k), Numbers(random, n * k), new ushort[m * n]);
        fixed (
            ushort* px = x,
                pw = w,
                py = y
        )
        {
            multiply(new(px, pw, null, py, new(m, n, k)), 2);
        }

        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var (exact, size) = (0.0, 0.0);
                for (var l = 0; l < k; l++)
                {
                    var term = (double)Bf16.ToSingle(x[i * k + l]) * Bf16.ToSingle(w[j * k + l]);
                    (exact, size) = (exact + term, size + Math.Abs(term));
                }
                // bf16 keeps 8 bits, so rounding the result costs at most 2^-8 of it; float32 sums cost about k * 2^-24
                // of the terms' size.
                Assert.Equal(exact, Bf16.ToSingle(y[i * n + j]), Math.Abs(exact) / 256 + size * k / (1 << 24) + 1e-30);
            }
        }
    }

    [Fact]
    public void A_row_has_the_same_bits_in_any_batch_and_with_any_number_of_threads()
    {
        const int n = 3001,
            k = 230;
        var random = new Random(1);
        var (x, w, all) = (Numbers(random, 8 * k), Numbers(random, n * k), new ushort[8 * n]);
        fixed (
            ushort* px = x,
                pw = w,
                py = all
        )
        {
            SkinnyGemm.Multiply(new(px, pw, null, py, new(8, n, k)), threads: 2);
        }

        for (var m = 1; m < 8; m++)
        {
            var some = new ushort[m * n];
            fixed (
                ushort* px = x,
                    pw = w,
                    py = some
            )
            {
                SkinnyGemm.Multiply(new(px, pw, null, py, new(m, n, k)), threads: 1);
            }

            Assert.Equal(all[..(m * n)], some);
        }
    }

    [Theory]
    [InlineData(1f, 1f)]
    [InlineData(1.00390625f, 1f)] // 1 + 2^-8 lies between 1 and 1 + 2^-7: to even
    [InlineData(1.01171875f, 1.015625f)] // 1 + 3 * 2^-8: to even
    [InlineData(-3.0000002f, -3f)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void Rounding_is_to_the_nearest_and_to_even(float value, float expected) =>
        Assert.Equal(expected, Bf16.ToSingle(Bf16.FromSingle(value)));

    static ushort[] Numbers(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Bf16.FromSingle((float)(random.NextDouble() * 2 - 1)))];
}

[Collection("torch")]
public class SkinnyLinearTests
{
    [Fact]
    public void Views_into_larger_tensors_are_read_at_their_own_offset()
    {
        using var scope = NewDisposeScope();
        var weight = randn([10, 48], generator: new Generator(1, CPU)).to(ScalarType.BFloat16).narrow(0, 3, 5);
        var x = randn([4, 2, 48], generator: new Generator(2, CPU)).to(ScalarType.BFloat16).narrow(0, 1, 1);
        var bias = randn([5], generator: new Generator(3, CPU)).to(ScalarType.BFloat16);
        var linear = SkinnyLinear.TryCreate(weight, bias)!;
        Assert.True(linear.Supports(x));
        var y = linear.Multiply(x);
        Assert.Equal([1, 2, 5], y.shape);
        var exact = x.to(ScalarType.Float64).matmul(weight.to(ScalarType.Float64).t()).add(bias.to(ScalarType.Float64));
        Assert.True(y.to(ScalarType.Float64).sub(exact).abs().max().item<double>() < 0.07);
    }

    [Fact]
    public void Tracked_or_many_rows_float32_and_strided_tensors_are_left_to_torch()
    {
        using var scope = NewDisposeScope();
        var linear = SkinnyLinear.TryCreate(ones([6, 800], dtype: ScalarType.BFloat16))!;
        var x = ones([8, 800], dtype: ScalarType.BFloat16);
        Assert.True(linear.Supports(x));
        Assert.False(linear.Supports(ones([33, 800], dtype: ScalarType.BFloat16)));
        // Where there is no instruction for pairs and torch multiplies bf16 itself, it is faster from nine rows on, and
        // earlier where they are short.
        var served = Vdpbf16Kernel.IsSupported || MatrixProduct.UpcastsBf16(CPU);
        Assert.Equal(served, linear.Supports(ones([9, 800], dtype: ScalarType.BFloat16)));
        Assert.Equal(
            served,
            SkinnyLinear
                .TryCreate(ones([6, 32], dtype: ScalarType.BFloat16))!
                .Supports(ones([8, 32], dtype: ScalarType.BFloat16))
        );
        Assert.False(linear.Supports(ones([8, 800])));
        Assert.False(linear.Supports(x.t().contiguous().t()));
        var tracked = x.clone().requires_grad_();
        Assert.False(linear.Supports(tracked));
        using var noGrad = no_grad();
        Assert.True(linear.Supports(tracked));
    }

    [Fact]
    public void Weights_that_are_not_frozen_contiguous_bf16_are_left_to_torch()
    {
        using var scope = NewDisposeScope();
        Assert.Null(SkinnyLinear.TryCreate(ones([6, 32])));
        Assert.Null(SkinnyLinear.TryCreate(ones([32, 6], dtype: ScalarType.BFloat16).t()));
        Assert.Null(SkinnyLinear.TryCreate(ones([6, 32], dtype: ScalarType.BFloat16).requires_grad_()));
    }

    [Fact]
    public void A_product_leaks_nothing_but_its_result()
    {
        using var weight = ones([6, 32], dtype: ScalarType.BFloat16);
        using var bias = ones([6], dtype: ScalarType.BFloat16);
        using var x = ones([2, 32], dtype: ScalarType.BFloat16);
        var before = TensorCount.AfterGarbageCollection();
        SkinnyLinear.TryCreate(weight, bias)!.Multiply(x).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }
}
