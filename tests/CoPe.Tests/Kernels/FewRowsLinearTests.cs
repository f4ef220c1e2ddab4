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
        var bias = randn([5], generator: new Generator(3, CPU)).to(ScalarType.BFloat16);
        var linear = FewRowsLinear.Of(weight, bias)!;
        Assert.True(linear.Serves(x));
        var y = linear.Multiply(x);
        Assert.Equal([1, 2, 5], y.shape);
        var exact = x.to(ScalarType.Float64).matmul(weight.to(ScalarType.Float64).t()).add(bias.to(ScalarType.Float64));
        Assert.True(y.to(ScalarType.Float64).sub(exact).abs().max().item<double>() < 0.07);
    }

    [Fact]
    public void Tracked_or_many_rows_float32_and_strided_tensors_are_left_to_torch()
    {
        using var scope = NewDisposeScope();
        var linear = FewRowsLinear.Of(ones([6, 800], dtype: ScalarType.BFloat16))!;
        var x = ones([8, 800], dtype: ScalarType.BFloat16);
        Assert.True(linear.Serves(x));
        Assert.False(linear.Serves(ones([33, 800], dtype: ScalarType.BFloat16)));
        // Where there is no instruction for pairs and torch multiplies bf16 itself, it is faster from nine rows on, and earlier where they are short.
        var served = PairDots.IsSupported || MatrixProduct.Widens(CPU);
        Assert.Equal(served, linear.Serves(ones([9, 800], dtype: ScalarType.BFloat16)));
        Assert.Equal(served, FewRowsLinear.Of(ones([6, 32], dtype: ScalarType.BFloat16))!.Serves(ones([8, 32], dtype: ScalarType.BFloat16)));
        Assert.False(linear.Serves(ones([8, 800])));
        Assert.False(linear.Serves(x.t().contiguous().t()));
        var tracked = x.clone().requires_grad_();
        Assert.False(linear.Serves(tracked));
        using var noGrad = no_grad();
        Assert.True(linear.Serves(tracked));
    }

    [Fact]
    public void Weights_of_another_kind_are_left_to_torch()
    {
        using var scope = NewDisposeScope();
        Assert.Null(FewRowsLinear.Of(ones([6, 32])));
        Assert.Null(FewRowsLinear.Of(ones([32, 6], dtype: ScalarType.BFloat16).t()));
        Assert.Null(FewRowsLinear.Of(ones([6, 32], dtype: ScalarType.BFloat16).requires_grad_()));
    }

    [Fact]
    public void A_product_leaves_only_its_result()
    {
        using var weight = ones([6, 32], dtype: ScalarType.BFloat16);
        using var bias = ones([6], dtype: ScalarType.BFloat16);
        using var x = ones([2, 32], dtype: ScalarType.BFloat16);
        var before = TensorCount.Settled();
        FewRowsLinear.Of(weight, bias)!.Multiply(x).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }
}
