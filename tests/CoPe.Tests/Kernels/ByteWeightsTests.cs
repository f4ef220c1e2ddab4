using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels;

[Collection("torch")]
public unsafe class ByteWeightsTests
{
    [Theory]
    [InlineData(5, 31)]
    [InlineData(37, 64)]
    [InlineData(8, 100)]
    public void A_weight_is_off_by_at_most_half_its_rows_scale_and_what_fills_up_is_zero(int rows, int length)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        using var weights = randn([rows, length], dtype: ScalarType.Float32, generator: generator).to(ScalarType.BFloat16);
        using var rounded = ByteWeights.Round(weights, "w");
        var exact = weights.to(ScalarType.Float64).data<double>().ToArray();
        for (var n = 0; n < rows; n++)
        {
            Assert.Equal(Enumerable.Range(0, length).Max(k => Math.Abs(exact[n * length + k])) / 127, rounded.Scales[n], 1e-6);
            for (var k = 0; k < length; k++) Assert.InRange(Math.Abs(ByteProductTests.Weight(rounded, n, k) - exact[n * length + k]), 0, rounded.Scales[n] * .50001);
            for (var k = length; k < ByteWeights.PackedLength(length); k++) Assert.Equal(0, ByteProductTests.Weight(rounded, n, k));
        }
        Assert.Equal((rows + 3) / 4 * 4 * (ByteWeights.PackedLength(length) + 4), rounded.Bytes);
    }

    [Fact]
    public void A_row_of_zeros_stays_zero()
    {
        using var weights = zeros([2, 9], dtype: ScalarType.BFloat16);
        using var rounded = ByteWeights.Round(weights, "w");
        for (var k = 0; k < 9; k++) Assert.Equal((0, 0), (ByteProductTests.Weight(rounded, 0, k), ByteProductTests.Weight(rounded, 1, k)));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void A_weight_that_is_no_number_is_refused_by_its_tensors_name_and_leaves_nothing(float wrong)
    {
        using var weights = full([2, 9], wrong, dtype: ScalarType.BFloat16);
        var before = Tensor.TotalCount;
        Assert.Contains("model.w holds a weight that is no finite number", Assert.Throws<ArgumentException>(() => ByteWeights.Round(weights, "model.w")).Message, StringComparison.Ordinal);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Weights_elsewhere_than_on_the_processor_and_of_other_types_are_refused()
    {
        using var elsewhere = empty([2, 9], dtype: ScalarType.BFloat16, device: META);
        Assert.Contains("processor (cpu) only", Assert.Throws<ArgumentException>(() => ByteWeights.Round(elsewhere, "w")).Message, StringComparison.Ordinal);
        using var wide = zeros([2, 9], dtype: ScalarType.Float32);
        Assert.Contains("expected a contiguous BFloat16 matrix", Assert.Throws<ArgumentException>(() => ByteWeights.Round(wide, "w")).Message, StringComparison.Ordinal);
    }
}
