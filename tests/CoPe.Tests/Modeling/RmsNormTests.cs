using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

[Collection("torch")]
public class RmsNormTests
{
    [Theory]
    [InlineData(false, 1.5, -2.0)] // 3 / sqrt((9 + 16) / 2) = 0.84853, -4 / 3.5355 = -1.13137; times 1.5, 2
    [InlineData(true, 2.5, -1.0)]
    public void Rows_are_divided_by_their_root_mean_square(bool addOne, double first, double second)
    {
        using var scope = NewDisposeScope();
        var weight = addOne ? tensor([1.5f, -2f]) : tensor([1.5f, -2f]);
        var result = RmsNorm.Apply(tensor(new[,] { { 3f, -4f } }), weight, 0, addOne);
        Assert.Equal(0.8485281f * (float)first, result[0, 0].item<float>(), 1e-5f);
        Assert.Equal(-1.1313708f * (float)second, result[0, 1].item<float>(), 1e-5f);
    }

    [Fact]
    public void Large_bf16_values_do_not_overflow_and_nothing_is_left_behind()
    {
        using var scope = NewDisposeScope();
        var (x, weight) = (full([1, 4], 1e30, dtype: ScalarType.BFloat16).div(1e12), ones(4, dtype: ScalarType.BFloat16));
        var before = TensorCount.Settled();
        using (var result = RmsNorm.Apply(x, weight, 1e-6, false))
        using (var wide = result.to(ScalarType.Float32)) Assert.Equal(ScalarType.BFloat16, result.dtype);
        Assert.Equal(before, Tensor.TotalCount);
    }
}
