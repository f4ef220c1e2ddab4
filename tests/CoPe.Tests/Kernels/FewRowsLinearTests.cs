using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels;

[Collection("torch")]
public class FewRowsLinearTests
{
    [Fact]
    public void Views_into_larger_tensors_are_read_at_their_own_place()
    {
        using var scope = NewDisposeScope();
        var weight = randn([10, 48], generator: new Generator(1, CPU)).to(ScalarType.BFloat16).narrow(0, 3, 5);
        var x = randn([4, 2, 48], generator: new Generator(2, CPU)).to(ScalarType.BFloat16).narrow(0, 1, 1);
        Assert.True(FewRowsLinear.Applies(x, weight));
        var y = FewRowsLinear.Multiply(x, weight);
        Assert.Equal([1, 2, 5], y.shape);
        var exact = x.to(ScalarType.Float64).matmul(weight.to(ScalarType.Float64).t());
        Assert.True(y.to(ScalarType.Float64).sub(exact).abs().max().item<double>() < 0.05);
    }

    [Fact]
    public void Tracked_or_many_rows_float32_and_strided_tensors_are_left_to_torch()
    {
        using var scope = NewDisposeScope();
        var weight = ones([6, 800], dtype: ScalarType.BFloat16);
        var x = ones([8, 800], dtype: ScalarType.BFloat16);
        Assert.True(FewRowsLinear.Applies(x, weight));
        Assert.False(FewRowsLinear.Applies(ones([9, 800], dtype: ScalarType.BFloat16), weight));
        Assert.False(FewRowsLinear.Applies(ones([8, 32], dtype: ScalarType.BFloat16), ones([6, 32], dtype: ScalarType.BFloat16)));
        Assert.False(FewRowsLinear.Applies(ones([8, 800]), weight));
        Assert.False(FewRowsLinear.Applies(x.t().contiguous().t(), weight));
        var tracked = x.clone().requires_grad_();
        Assert.False(FewRowsLinear.Applies(tracked, weight));
        using var noGrad = no_grad();
        Assert.True(FewRowsLinear.Applies(tracked, weight));
    }

    [Fact]
    public void A_product_leaves_only_its_result()
    {
        using var weight = ones([6, 32], dtype: ScalarType.BFloat16);
        using var x = ones([2, 32], dtype: ScalarType.BFloat16);
        var before = Tensor.TotalCount;
        FewRowsLinear.Multiply(x, weight).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }
}
