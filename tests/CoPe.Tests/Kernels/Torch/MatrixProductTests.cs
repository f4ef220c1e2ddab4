using CoPe.Kernels.Torch;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels.Torch;

/// <summary>bf16 products through float32 against float64, on every processor, whichever way its models take.</summary>
[Collection("torch")]
public class MatrixProductTests
{
    /// <summary>Half of bf16's last place, and as much again for sums in float32.</summary>
    const double OneRounding = 1.0 / 256 + 1e-5;

    [Theory]
    [InlineData(3, 5, 7, false)]
    [InlineData(1, 1, 1, true)]
    [InlineData(4, 2100, 1030, true)] // more numbers than are widened at once
    public void A_layer_equals_float64(int m, int n, int k, bool biased)
    {
        using var scope = NewDisposeScope();
        var (x, w, bias) = (Numbers(1, m, k), Numbers(2, n, k), biased ? Numbers(3, n) : null);
        var exact = Wide(x).matmul(Wide(w).t());
        AssertNear(bias is null ? exact : exact.add(Wide(bias)), UpcastProduct.Multiply(x, w, bias));
        AssertNear(exact.view(m, 1, n), UpcastProduct.Multiply(x.view(m, 1, k), w, null));
    }

    [Fact]
    public void Weights_whose_columns_lie_one_after_the_other_equal_float64()
    {
        using var scope = NewDisposeScope();
        var (x, w, bias) = (Numbers(1, 4, 1030), Numbers(2, 1030, 2100).t(), Numbers(3, 2100));
        AssertNear(Wide(x).matmul(Wide(w).t()).add(Wide(bias)), UpcastProduct.Multiply(x, w, bias));
    }

    [Fact]
    public void A_batch_of_products_equals_float64()
    {
        using var scope = NewDisposeScope();
        var (x, w) = (Numbers(1, 3, 6, 8), Numbers(2, 3, 5, 8));
        AssertNear(Wide(x).bmm(Wide(w).transpose(1, 2)), UpcastProduct.Multiply(x, w, null));
    }

    [Theory]
    [InlineData(false, false, 1)]
    [InlineData(true, false, 1)]
    [InlineData(false, true, 1)]
    [InlineData(true, true, 1)]
    [InlineData(true, true, 100)] // more numbers than are widened at once
    public void Gradients_equal_float64(bool ofX, bool ofW, int scale)
    {
        using var scope = NewDisposeScope();
        var (x, w, bias, g) = (
            Numbers(1, 2, 3, 11 * scale),
            Numbers(2, 13 * scale, 11 * scale),
            Numbers(3, 13 * scale),
            Numbers(4, 2, 3, 13 * scale)
        );
        (x.requires_grad, w.requires_grad, bias.requires_grad) = (ofX, ofW, true);
        UpcastProduct.Multiply(x, w, bias).backward([g]);
        var (rows, gradient) = (Wide(x).reshape(6, -1), Wide(g).reshape(6, -1));
        if (ofX)
        {
            AssertNear(gradient.matmul(Wide(w)).view(2, 3, -1), x.grad!);
        }
        else
        {
            Assert.Null(x.grad);
        }

        if (ofW)
        {
            AssertNear(gradient.t().matmul(rows), w.grad!);
        }
        else
        {
            Assert.Null(w.grad);
        }

        AssertNear(gradient.sum([0]), bias.grad!);
    }

    [Fact]
    public void Gradients_of_a_batch_of_products_equal_float64()
    {
        using var scope = NewDisposeScope();
        var (x, w, g) = (Numbers(1, 3, 6, 8), Numbers(2, 3, 5, 8), Numbers(3, 3, 6, 5));
        (x.requires_grad, w.requires_grad) = (true, true);
        UpcastProduct.Multiply(x, w, null).backward([g]);
        AssertNear(Wide(g).bmm(Wide(w)), x.grad!);
        AssertNear(Wide(g).transpose(1, 2).bmm(Wide(x)), w.grad!);
    }

    [Fact]
    public void A_backward_pass_leaves_no_tensor_behind()
    {
        Pass();
        var before = TensorCount.AfterGarbageCollection();
        for (var i = 0; i < 3; i++)
        {
            Pass();
        }

        Assert.Equal(before, TensorCount.AfterGarbageCollection());

        static void Pass()
        {
            using var scope = NewDisposeScope();
            var (x, w) = (Numbers(1, 4, 8), Numbers(2, 6, 8));
            x.requires_grad = true;
            UpcastProduct.Multiply(UpcastProduct.Multiply(x, w, null), Numbers(3, 2, 6), null).sum().backward();
        }
    }

    static Tensor Numbers(int seed, params long[] shape)
    {
        using var generator = new Generator((ulong)seed, CPU);
        return randn(shape, generator: generator).to(ScalarType.BFloat16);
    }

    static Tensor Wide(Tensor x) => x.detach().to(ScalarType.Float64);

    /// <summary>Each number within one rounding to bf16, measured at the largest: sums cancel.</summary>
    static void AssertNear(Tensor exact, Tensor actual)
    {
        Assert.Equal(ScalarType.BFloat16, actual.dtype);
        Assert.Equal(exact.shape, actual.shape);
        var excess = (Wide(actual) - exact).abs() - exact.abs() * OneRounding - exact.abs().max() * 1e-5;
        Assert.True(
            excess.max().item<double>() <= 0,
            $"A number is off by {excess.max().item<double>():e2} more than a rounding."
        );
    }
}
