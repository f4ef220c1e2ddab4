using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using CoPe.Kernels;
using CoPe.Kernels.Gemm;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels.Gemm;

/// <summary>Kernels of int8 weights against the same product in float64.</summary>
[Collection("torch")]
public unsafe class Int8GemmTests
{
    public static TheoryData<int, int, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, int, int>();
            for (var m = 1; m <= 9; m++)
            {
                foreach (var (n, k) in new[] { (1, 1), (2, 16), (3, 31), (5, 32), (7, 33), (10, 100), (33, 256) })
                {
                    shapes.Add(m, n, k);
                }
            }

            shapes.Add(3, 4097, 256); // several chunks
            shapes.Add(2, 6, 14336); // numbers of a column are smaller, so that sums fit
            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_width_equals_the_float64_product_within_the_rounding_error(int m, int n, int k)
    {
        var random = new Random(m * 1000 + n + k);
        var (x, bias) = (Numbers(random, m * k), Enumerable.Range(0, n).Select(_ => random.NextSingle()).ToArray());
        using var weights = CreateWeights(random, n, k);
        Check<Int16Vector256>(x, weights, bias, m);
        if (Avx512BW.IsSupported)
        {
            Check<Int16Vector512>(x, weights, bias, m);
        }
    }

    static void Check<T>(ushort[] x, Int8Weights weights, float[] bias, int m)
        where T : struct, IInt16Vector<T>
    {
        var (n, k) = (weights.Rows, weights.Inputs);
        var y = Multiply<T>(x, weights, bias, m, threads: 2);
        for (var i = 0; i < m; i++)
        {
            var row = x[(i * k)..((i + 1) * k)];
            var step =
                row.Max(number => Math.Abs(Bf16.ToSingle(number)))
                // A number of the column is off by half of it.
                / Int16Activations.GetMaxLevel(Int8Weights.GetPackedLength(k));
            for (var j = 0; j < n; j++)
            {
                var (exact, size, magnitude) = ((double)bias[j], 0.0, 0.0);
                for (var l = 0; l < k; l++)
                {
                    var term = (double)Bf16.ToSingle(row[l]) * Dequantize(weights, j, l);
                    (exact, size, magnitude) = (
                        exact + term,
                        size + Math.Abs(term),
                        magnitude + Math.Abs(Dequantize(weights, j, l))
                    );
                }
                // bf16 keeps 8 bits, so rounding the result costs at most 2^-8 of it; the few float32 operations after
                // the whole numbers' sums cost a few 2^-24 of the terms' size.
                Assert.Equal(
                    exact,
                    Bf16.ToSingle(y[i * n + j]),
                    Math.Abs(exact) / 256 + magnitude * step * .501 + (size + 1) * 64 / (1 << 24)
                );
            }
        }
    }

    [Fact]
    public void A_row_has_the_same_bits_in_any_batch_and_with_any_number_of_threads()
    {
        const int n = 3001,
            k = 224,
            most = 40;
        var random = new Random(1);
        var x = Numbers(random, most * k);
        using var weights = CreateWeights(random, n, k);
        foreach (
            var multiply in Avx512BW.IsSupported
                ? (Func<ushort[], int, int, ushort[]>[])[Of<Int16Vector256>, Of<Int16Vector512>]
                : [Of<Int16Vector256>]
        )
        {
            var all = multiply(x, most, 2);
            for (var m = 1; m < most; m++)
            {
                Assert.Equal(all[..(m * n)], multiply(x[..(m * k)], m, 1));
            }

            Assert.Equal(all[(7 * n)..(12 * n)], multiply(x[(7 * k)..(12 * k)], 5, 2));
        }

        ushort[] Of<T>(ushort[] x, int m, int threads)
            where T : struct, IInt16Vector<T> => Multiply<T>(x, weights, null, m, threads);
    }

    [Fact]
    public void The_largest_numbers_do_not_overflow()
    {
        const int n = 5,
            k = 18944;
        using var same = ones([n, k], dtype: ScalarType.BFloat16);
        using var weights = Int8Weights.Quantize(same, "w");
        var x = Enumerable.Repeat(Bf16.FromSingle(3), k).ToArray();
        Assert.All(
            Multiply<Int16Vector256>(x, weights, null, 1, 1),
            sum => Assert.Equal(3.0 * k, Bf16.ToSingle(sum), 3.0 * k / 256)
        );
        if (Avx512BW.IsSupported)
        {
            Assert.All(
                Multiply<Int16Vector512>(x, weights, null, 1, 1),
                sum => Assert.Equal(3.0 * k, Bf16.ToSingle(sum), 3.0 * k / 256)
            );
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void A_row_with_NaN_or_infinity_gives_NaN_and_leaves_the_other_rows_alone(float wrong)
    {
        const int n = 6,
            k = 40;
        var random = new Random(1);
        var x = Numbers(random, 3 * k);
        using var weights = CreateWeights(random, n, k);
        var before = Multiply<Int16Vector256>(x, weights, null, 3, 1);
        x[k + 33] = Bf16.FromSingle(wrong);
        var after = Multiply<Int16Vector256>(x, weights, null, 3, 1);
        Assert.All(after[n..(2 * n)], number => Assert.True(float.IsNaN(Bf16.ToSingle(number))));
        Assert.Equal(before[..n], after[..n]);
        Assert.Equal(before[(2 * n)..], after[(2 * n)..]);
    }

    [Fact]
    public void Rows_of_zeros_give_the_bias()
    {
        using var weights = CreateWeights(new Random(1), 6, 40);
        float[] bias = [1, -2, 3, 4, 5, .5f];
        Assert.Equal(bias, Multiply<Int16Vector256>(new ushort[40], weights, bias, 1, 1).Select(Bf16.ToSingle));
    }

    [Fact]
    public void Without_AVX2_the_same_products_are_added()
    {
        if (!Avx2.IsSupported)
        {
            return;
        }

        var random = new Random(1);
        short* words = stackalloc short[16],
            others = stackalloc short[16];
        var bytes = stackalloc sbyte[16];
        for (var i = 0; i < 16; i++)
        {
            (words[i], others[i], bytes[i]) = (
                (short)random.Next(-32767, 32768),
                (short)random.Next(-127, 128),
                (sbyte)random.Next(-127, 128)
            );
        }

        var (a, b) = (Vector256.Load(words), Vector256.Load(others));
        Assert.Equal(
            Vector256.Sum(Avx2.MultiplyAddAdjacent(a, b)),
            Vector256.Sum(Int16Vector256.MultiplyAddPairsPortably(a, b))
        );
        Assert.Equal(Avx2.ConvertToVector256Int16(bytes), Int16Vector256.WidenPortably(Vector128.Load(bytes)));
    }

    static ushort[] Multiply<T>(ushort[] x, Int8Weights weights, float[]? bias, int m, int threads)
        where T : struct, IInt16Vector<T>
    {
        var y = new ushort[m * weights.Rows];
        fixed (
            ushort* px = x,
                py = y
        )
        fixed (float* added = bias)
        {
            Int8Gemm.Multiply<T>(
                px,
                new((nint)weights.Values, (nint)weights.Scales, (nint)added, new(m, weights.Rows, weights.Inputs)),
                py,
                threads
            );
        }

        return y;
    }

    /// <summary>A rounded weight as it counts.</summary>
    internal static double Dequantize(Int8Weights weights, int n, int k) =>
        weights.Values[n / 4 * 4L * Int8Weights.GetPackedLength(weights.Inputs) + k / 32 * 128 + n % 4 * 32 + k % 32]
        * (double)weights.Scales[n];

    static Int8Weights CreateWeights(Random random, int n, int k)
    {
        using var weights = zeros([n, k], dtype: ScalarType.BFloat16);
        var numbers = new Span<ushort>(TensorMemory.GetPointer(weights), n * k);
        foreach (ref var number in numbers)
        {
            number = Bf16.FromSingle((float)(random.NextDouble() * 2 - 1));
        }

        return Int8Weights.Quantize(weights, "w");
    }

    static ushort[] Numbers(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Bf16.FromSingle((float)(random.NextDouble() * 2 - 1)))];
}

[Collection("torch")]
public unsafe class Int8WeightsTests
{
    [Theory]
    [InlineData(5, 31)]
    [InlineData(37, 64)]
    [InlineData(8, 100)]
    public void A_weight_is_off_by_at_most_half_its_rows_scale_and_padding_is_zero(int rows, int length)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        using var weights = randn([rows, length], dtype: ScalarType.Float32, generator: generator)
            .to(ScalarType.BFloat16);
        using var rounded = Int8Weights.Quantize(weights, "w");
        var exact = weights.to(ScalarType.Float64).data<double>().ToArray();
        for (var n = 0; n < rows; n++)
        {
            Assert.Equal(
                Enumerable.Range(0, length).Max(k => Math.Abs(exact[n * length + k])) / 127,
                rounded.Scales[n],
                1e-6
            );
            for (var k = 0; k < length; k++)
            {
                Assert.InRange(
                    Math.Abs(Int8GemmTests.Dequantize(rounded, n, k) - exact[n * length + k]),
                    0,
                    rounded.Scales[n] * .50001
                );
            }

            for (var k = length; k < Int8Weights.GetPackedLength(length); k++)
            {
                Assert.Equal(0, Int8GemmTests.Dequantize(rounded, n, k));
            }
        }
        Assert.Equal((rows + 3) / 4 * 4 * (Int8Weights.GetPackedLength(length) + 4), rounded.ByteCount);
    }

    [Fact]
    public void A_row_of_zeros_stays_zero()
    {
        using var weights = zeros([2, 9], dtype: ScalarType.BFloat16);
        using var rounded = Int8Weights.Quantize(weights, "w");
        for (var k = 0; k < 9; k++)
        {
            Assert.Equal((0, 0), (Int8GemmTests.Dequantize(rounded, 0, k), Int8GemmTests.Dequantize(rounded, 1, k)));
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void A_weight_that_is_not_finite_is_refused_by_its_tensors_name_and_leaks_nothing(float wrong)
    {
        using var weights = full([2, 9], wrong, dtype: ScalarType.BFloat16);
        var before = Tensor.TotalCount;
        Assert.Contains(
            "model.w holds a weight that is not finite",
            Assert.Throws<ArgumentException>(() => Int8Weights.Quantize(weights, "model.w")).Message,
            StringComparison.Ordinal
        );
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Weights_elsewhere_than_on_the_processor_and_of_other_types_are_refused()
    {
        using var elsewhere = empty([2, 9], dtype: ScalarType.BFloat16, device: META);
        Assert.Contains(
            "processor (cpu) only",
            Assert.Throws<ArgumentException>(() => Int8Weights.Quantize(elsewhere, "w")).Message,
            StringComparison.Ordinal
        );
        using var wide = zeros([2, 9], dtype: ScalarType.Float32);
        Assert.Contains(
            "expected a contiguous BFloat16 matrix",
            Assert.Throws<ArgumentException>(() => Int8Weights.Quantize(wide, "w")).Message,
            StringComparison.Ordinal
        );
    }
}
