using System.Text.Json;
using CoPe.Kernels;
using CoPe.Kernels.Gemm;
using CoPe.Testing;

namespace CoPe.Tests.Kernels.Gemm;

/// <summary>How 32 weights become 4-bit codes.</summary>
public unsafe class Q4GroupTests
{
    public static TheoryData<string> Cases => new(GoldenFolders.Entries("quant", "q4_group32_*.json"));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Plain_rounding_gives_the_reference_codes(string file)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        var weights = Floats(json, "weights");
        var codes = new byte[weights.Length];
        for (var group = 0; group < weights.Length / Q4Group.Size; group++)
        {
            var range = (group * Q4Group.Size)..((group + 1) * Q4Group.Size);
            var (scale, min) = Q4Group.RoundPlainly(weights.AsSpan()[range], codes.AsSpan()[range]);
            Assert.Equal(Floats(json, "scale")[group], scale, 1e-6f);
            Assert.Equal(Floats(json, "min")[group], min);
        }

        Assert.Equal(Floats(json, "q").Select(code => (byte)code), codes);
    }

    [Fact]
    public void The_search_is_no_worse_than_plain_rounding_and_better_on_most_groups()
    {
        var random = new Random(5);
        var better = 0;
        for (var trial = 0; trial < 200; trial++)
        {
            var weights = Enumerable.Range(0, Q4Group.Size).Select(_ => (float)(random.NextDouble() - .3)).ToArray();
            weights[trial % Q4Group.Size] *= 1 + trial % 4; // some outliers
            var (plain, searched) = (MeasurePlain(weights), MeasureSearched(weights));
            Assert.InRange(searched, 0, plain);
            better += searched < .95 * plain ? 1 : 0;
        }

        Assert.InRange(better, 120, 200);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(-.375f)]
    [InlineData(1e-42f)]
    public void Equal_weights_stay_what_they_are(float value)
    {
        var (codes, scale, min) = Search([.. Enumerable.Repeat(value, Q4Group.Size)]);
        Assert.All(codes, code => Assert.Equal(0, code));
        Assert.Equal(0, scale);
        Assert.Equal(Bf16.ToSingle(Bf16.FromSingle(value)), min);
    }

    [Fact]
    public void Sixteen_levels_that_bf16_holds_are_exact()
    {
        var weights = Enumerable.Range(0, Q4Group.Size).Select(i => -2 + i % 16 * .25f).ToArray();
        var (codes, scale, min) = Search(weights);
        Assert.Equal(weights, codes.Select(code => scale * code + min));
    }

    static double MeasurePlain(float[] weights)
    {
        var codes = new byte[Q4Group.Size];
        var (scale, min) = Q4Group.RoundPlainly(weights, codes);
        var (roundedScale, roundedMin) = (Round(scale), Round(min));
        var best = weights.Select(weight =>
            Enumerable.Range(0, Q4Group.MaxCode + 1).Min(code => Square(roundedScale * code + roundedMin - weight))
        );
        return best.Sum() * (1 + 1e-5);
    }

    static double MeasureSearched(float[] weights)
    {
        var (codes, scale, min) = Search(weights);
        return weights.Zip(codes, (weight, code) => Square(scale * code + min - weight)).Sum();
    }

    static (byte[] Codes, float Scale, float Min) Search(float[] weights)
    {
        var codes = new byte[Q4Group.Size];
        fixed (float* from = weights)
        fixed (byte* to = codes)
        {
            var (scale, min) = Q4Group.Search(from, to);
            return (codes, Bf16.ToSingle(scale), Bf16.ToSingle(min));
        }
    }

    static float Round(float value) => Bf16.ToSingle(Bf16.FromSingle(value));

    static double Square(double value) => value * value;

    static float[] Floats(JsonDocument json, string name) =>
        [.. json.RootElement.GetProperty(name).EnumerateArray().Select(value => value.GetSingle())];
}
