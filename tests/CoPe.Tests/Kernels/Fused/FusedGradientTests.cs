using CoPe.Kernels.Fused;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels.Fused;

/// <summary>Gradients of the kernels against those of the same formula in float64.</summary>
[Collection("torch")]
public class FusedGradientTests
{
    [Theory]
    [InlineData(3, 40, false)]
    [InlineData(3, 40, true)]
    [InlineData(9, 896, false)]
    [InlineData(2, 5, true)] // narrower than a register
    public void That_of_the_norm_equals_float64(int rows, int width, bool addOne)
    {
        using var scope = NewDisposeScope();
        var (x, weight, factors) = (
            CreateNumbers(1, rows, width),
            CreateNumbers(2, width),
            CreateNumbers(3, rows, width)
        );
        x.requires_grad = true;
        FusedRmsNorm.Apply(x, weight, 1e-6, addOne).mul(factors).sum().backward();

        var wide = x.detach().to(ScalarType.Float64).requires_grad_();
        var scale = weight.to(ScalarType.Float64) + (addOne ? 1 : 0);
        var exact = wide * (wide.pow(2).mean([-1], keepdim: true) + 1e-6).rsqrt() * scale;
        exact.mul(factors.to(ScalarType.Float64)).sum().backward();
        AssertNear(wide.grad!, x.grad!);
    }

    [Theory]
    [InlineData(2, 16)]
    [InlineData(5, 1000)]
    [InlineData(1, 3001)]
    public void Those_of_the_gate_equal_float64(int rows, int width)
    {
        using var scope = NewDisposeScope();
        var opened = CreateNumbers(1, rows, width).mul(4).requires_grad_();
        var value = CreateNumbers(2, rows, width).requires_grad_();
        var factors = CreateNumbers(3, rows, width);
        FusedSiluMul.Apply(opened, value).mul(factors).sum().backward();

        var wideOpened = opened.detach().to(ScalarType.Float64).requires_grad_();
        var wideValue = value.detach().to(ScalarType.Float64).requires_grad_();
        var exact = wideOpened / (1 + (-wideOpened).exp()) * wideValue;
        exact.mul(factors.to(ScalarType.Float64)).sum().backward();
        AssertNear(wideOpened.grad!, opened.grad!);
        AssertNear(wideValue.grad!, value.grad!);
    }

    [Fact]
    public void A_pass_forth_and_back_leaves_no_tensor_behind()
    {
        PassForthAndBack();
        var before = TensorCount.AfterGarbageCollection();
        PassForthAndBack();
        Assert.Equal(before, TensorCount.AfterGarbageCollection());
    }

    static void PassForthAndBack()
    {
        using var scope = NewDisposeScope();
        var (x, weight) = (CreateNumbers(1, 4, 64).requires_grad_(), CreateNumbers(2, 64));
        var normed = FusedRmsNorm.Apply(x, weight, 1e-6, addOne: false);
        FusedSiluMul.Apply(normed, normed.mul(2)).sum().backward();
        x.grad!.Dispose();
    }

    static Tensor CreateNumbers(int seed, params long[] shape) =>
        randn(shape, generator: new Generator((ulong)seed, CPU)).to(ScalarType.BFloat16);

    /// <summary>
    /// A rounding to bf16 costs at most 2^-8 of a number; the kernel rounds once, its input once more.
    /// </summary>
    static void AssertNear(Tensor exact, Tensor computed)
    {
        using var excess = (computed.to(ScalarType.Float64) - exact).abs() - exact.abs() / 125 - 1e-3;
        Assert.True(excess.max().item<double>() < 0, $"off by {excess.max().item<double>()}");
    }
}
