using System.Runtime.Intrinsics.X86;
using CoPe.Kernels;
using CoPe.Kernels.Gemm;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels.Gemm;

/// <summary>Kernels of 4-bit weights against the same product in float64, and against each other.</summary>
[Collection("torch")]
public unsafe class Q4GemmTests
{
    delegate void Product(Q4Weights weights, ushort* x, int m, float* bias, ushort* y, int threads);

    static Product Portable { get; } = Q4Gemm.Multiply<PortableByteProducts>;

    /// <summary>What this processor has besides.</summary>
    static List<Product> OwnProducts { get; } =
    [
        .. Avx2.IsSupported ? (Product[])[Q4Gemm.Multiply<Avx2ByteProducts>] : [],
        .. AvxVnni.IsSupported ? (Product[])[Q4Gemm.Multiply<VnniByteProducts>] : [],
    ];

    public static TheoryData<int, int, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, int, int>();
            for (var m = 1; m <= 9; m++)
            {
                foreach (var (n, k) in new[] { (1, 1), (2, 16), (9, 31), (16, 32), (17, 33), (10, 100), (33, 256) })
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
    public void Every_way_to_multiply_equals_the_float64_product_within_the_rounding_error(int m, int n, int k)
    {
        var random = new Random(m * 1000 + n + k);
        var (x, bias) = (Numbers(random, m * k), Enumerable.Range(0, n).Select(_ => random.NextSingle()).ToArray());
        using var weights = CreateWeights(random, n, k);
        var dequantized = Dequantize(weights);
        var y = Multiply(Portable, x, weights, bias, m, threads: 2);
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var (exact, tolerance) = ComputeExactly(x[(i * k)..((i + 1) * k)], dequantized[(j * k)..((j + 1) * k)]);
                exact += bias[j];
                // bf16 keeps 8 bits of the result.
                Assert.Equal(exact, Bf16.ToSingle(y[i * n + j]), Math.Abs(exact) / 256 + tolerance);
            }
        }

        Assert.All(OwnProducts, product => Assert.Equal(y, Multiply(product, x, weights, bias, m, threads: 1)));
    }

    /// <summary>
    /// A number of x is off by at most half of its group's scale; the float32 sums by some 2^-24 of the terms' size.
    /// </summary>
    static (double Exact, double Tolerance) ComputeExactly(ushort[] x, float[] row)
    {
        var (exact, tolerance) = (0.0, 0.0);
        for (var first = 0; first < x.Length; first += Q4Group.Size)
        {
            var end = Math.Min(x.Length, first + Q4Group.Size);
            var step = x[first..end].Max(number => Math.Abs(Bf16.ToSingle(number))) / Int8Activations.MaxLevel;
            for (var i = first; i < end; i++)
            {
                var term = (double)Bf16.ToSingle(x[i]) * row[i];
                exact += term;
                tolerance += Math.Abs(row[i]) * step * .501 + Math.Abs(term) * 64 / (1 << 24);
            }
        }

        return (exact, tolerance + 1e-6);
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
        foreach (var product in OwnProducts.Append(Portable))
        {
            var all = Multiply(product, x, weights, null, most, 2);
            for (var m = 1; m < most; m += 3)
            {
                Assert.Equal(all[..(m * n)], Multiply(product, x[..(m * k)], weights, null, m, 1));
            }

            Assert.Equal(all[(7 * n)..(12 * n)], Multiply(product, x[(7 * k)..(12 * k)], weights, null, 5, 2));
        }
    }

    [Fact]
    public void The_largest_numbers_do_not_overflow()
    {
        const int n = 16,
            k = 64;
        // Codes 15 but for the first weight of each group, which is the minimum.
        var values = Enumerable.Range(0, n * k).Select(i => i % Q4Group.Size == 0 ? 0f : 15f).ToArray();
        using var same = tensor(values).to(ScalarType.BFloat16).view(n, k);
        using var weights = Q4Weights.Quantize(same, "w");
        var x = Enumerable.Repeat(Bf16.FromSingle(-127), k).ToArray();
        Assert.All(
            OwnProducts.Append(Portable),
            product =>
                Assert.All(
                    Multiply(product, x, weights, null, 1, 1),
                    sum => Assert.Equal(Bf16.ToSingle(Bf16.FromSingle(-127 * 15 * 62)), Bf16.ToSingle(sum))
                )
        );
    }

    [Fact]
    public void A_number_that_is_not_finite_makes_its_row_NaN_and_no_other()
    {
        const int n = 20,
            k = 70;
        var x = Numbers(new Random(3), 3 * k);
        x[k + 69] = Bf16.FromSingle(float.PositiveInfinity);
        using var weights = CreateWeights(new Random(4), n, k);
        Assert.All(
            OwnProducts.Append(Portable),
            product =>
            {
                var y = Multiply(product, x, weights, null, 3, 1);
                Assert.All(y[..n], value => Assert.True(float.IsFinite(Bf16.ToSingle(value))));
                Assert.All(y[n..(2 * n)], value => Assert.True(float.IsNaN(Bf16.ToSingle(value))));
                Assert.All(y[(2 * n)..], value => Assert.True(float.IsFinite(Bf16.ToSingle(value))));
            }
        );
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void A_weight_that_is_not_finite_is_refused(float value)
    {
        using var weights = zeros([20, 40], dtype: ScalarType.BFloat16);
        weights[17, 39] = value;
        Assert.Contains(
            "w holds a weight",
            Assert.Throws<ArgumentException>(() => Q4Weights.Quantize(weights, "w")).Message
        );
    }

    static ushort[] Multiply(Product product, ushort[] x, Q4Weights weights, float[]? bias, int m, int threads)
    {
        var y = new ushort[m * weights.Rows];
        fixed (ushort* from = x)
        fixed (ushort* to = y)
        fixed (float* added = bias)
        {
            product(weights, from, m, added, to, threads);
        }

        return y;
    }

    static float[] Dequantize(Q4Weights weights)
    {
        var numbers = new float[weights.Rows * weights.Inputs];
        fixed (float* to = numbers)
        {
            weights.Dequantize(0, weights.Rows, to);
        }

        return numbers;
    }

    static Q4Weights CreateWeights(Random random, int n, int k)
    {
        using var exact = tensor(Enumerable.Range(0, n * k).Select(_ => Normal(random)).ToArray());
        using var rounded = exact.to(ScalarType.BFloat16).view(n, k);
        return Q4Weights.Quantize(rounded, "w");
    }

    static ushort[] Numbers(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Bf16.FromSingle(Normal(random)))];

    static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
