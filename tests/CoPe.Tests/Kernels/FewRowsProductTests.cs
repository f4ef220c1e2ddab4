using CoPe.Kernels;

namespace CoPe.Tests.Kernels;

/// <summary>Kernels against the same product in float64.</summary>
public unsafe class FewRowsProductTests
{
    public static TheoryData<int, int, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, int, int>();
            for (var m = 1; m <= 8; m++)
                foreach (var (n, k) in new[] { (1, 1), (2, 16), (3, 31), (5, 32), (7, 33), (10, 100), (33, 256) }) shapes.Add(m, n, k);
            shapes.Add(3, 4097, 256); // several chunks
            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_width_equals_the_float64_product(int m, int n, int k)
    {
        Check(FewRowsProduct.Multiply<Lanes512>, m, n, k);
        Check(FewRowsProduct.Multiply<Lanes256>, m, n, k);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Pairs_of_bf16_equal_the_float64_product(int m, int n, int k)
    {
        Assert.SkipUnless(PairDots.IsSupported, "this processor has no AVX512_BF16, or the system allows no code made at run time");
        Check(FewRowsProduct.MultiplyPairs, m, n, k);
        Check(FewRowsProduct.MultiplyPairs, m + 24, n, k);
    }

    delegate void Product(in FewRowsProduct.Operands operands, int threads);

    static void Check(Product multiply, int m, int n, int k)
    {
        var random = new Random(m * 1000 + n + k);
        var (x, w, y) = (Numbers(random, m * k), Numbers(random, n * k), new ushort[m * n]);
        fixed (ushort* px = x, pw = w, py = y) multiply(new(px, pw, null, py, new(m, n, k)), 2);
        for (var i = 0; i < m; i++)
            for (var j = 0; j < n; j++)
            {
                var (exact, size) = (0.0, 0.0);
                for (var l = 0; l < k; l++)
                {
                    var term = (double)Bf16.ToSingle(x[i * k + l]) * Bf16.ToSingle(w[j * k + l]);
                    (exact, size) = (exact + term, size + Math.Abs(term));
                }
                // bf16 keeps 8 bits, so rounding the result costs at most 2^-8 of it; float32 sums cost about k * 2^-24 of the terms' size.
                Assert.Equal(exact, Bf16.ToSingle(y[i * n + j]), Math.Abs(exact) / 256 + size * k / (1 << 24) + 1e-30);
            }
    }

    [Fact]
    public void A_row_has_the_same_bits_in_any_company_and_with_any_number_of_threads()
    {
        const int n = 3001, k = 230;
        var random = new Random(1);
        var (x, w, all) = (Numbers(random, 8 * k), Numbers(random, n * k), new ushort[8 * n]);
        fixed (ushort* px = x, pw = w, py = all) FewRowsProduct.Multiply(new(px, pw, null, py, new(8, n, k)), threads: 2);
        for (var m = 1; m < 8; m++)
        {
            var some = new ushort[m * n];
            fixed (ushort* px = x, pw = w, py = some) FewRowsProduct.Multiply(new(px, pw, null, py, new(m, n, k)), threads: 1);
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
    public void Rounding_is_to_the_nearest_and_to_even(float value, float expected) => Assert.Equal(expected, Bf16.ToSingle(Bf16.FromSingle(value)));

    static ushort[] Numbers(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => Bf16.FromSingle((float)(random.NextDouble() * 2 - 1)))];
}
