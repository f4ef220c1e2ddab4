using CoPe.Testing;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Tests.Training;

/// <summary>Head and loss in chunks of the vocabulary against logits of the whole.</summary>
[Collection("torch")]
public class HeadLossTests
{
    // 2,048 rows of the weights make a chunk: three chunks, the last of which is short.
    const int Width = 512;
    const int Vocab = 5000;

    static (Tensor Hidden, Tensor Weight, Tensor Labels) Draw(int labels, ScalarType dtype)
    {
        using var generator = new Generator(7, CPU);
        Tensor Normal(long rows) => randn([rows, Width], dtype: ScalarType.Float32, generator: generator).to(dtype);
        var hidden = Normal(labels);
        var weight = Normal(Vocab).mul(0.05);
        var ids = randint(0, Vocab, [labels], dtype: ScalarType.Int64, generator: generator);
        ids[0] = 0;
        ids[1] = Vocab - 1;
        return (hidden, weight, ids);
    }

    /// <summary>Losses, and the gradient of a sum with different weights.</summary>
    static (Tensor Losses, Tensor Gradient) Differentiate(Tensor hidden, Func<Tensor, Tensor> computeLosses)
    {
        var leaf = hidden.detach().clone();
        leaf.requires_grad = true;
        var losses = computeLosses(leaf);
        losses.dot(linspace(-1, 2, losses.shape[0])).backward();
        return (losses.detach(), leaf.grad!.to(ScalarType.Float32));
    }

    static double MeasureDifference(Tensor expected, Tensor actual) =>
        (expected - actual).abs().max().item<float>() / expected.abs().max().item<float>();

    [Theory]
    [InlineData(ScalarType.Float32, 1e-5, 1e-5)]
    [InlineData(ScalarType.BFloat16, 1e-5, 8e-3)] // gradients are rounded to bf16
    public void Losses_and_gradients_are_those_of_all_logits(ScalarType dtype, double ofLosses, double ofGradients)
    {
        using var scope = NewDisposeScope();
        var (hidden, weight, labels) = Draw(37, dtype);
        var expected = Differentiate(
            hidden,
            x => SftLoss.ComputePerToken(nn.functional.linear(x, weight).to(ScalarType.Float32), labels)
        );
        var actual = Differentiate(hidden, x => HeadLoss.Compute(x, weight, labels));
        Assert.Equal(ScalarType.Float32, actual.Losses.dtype);
        Assert.InRange(MeasureDifference(expected.Losses, actual.Losses), 0, ofLosses);
        Assert.InRange(MeasureDifference(expected.Gradient, actual.Gradient), 0, ofGradients);
    }

    [Fact]
    public void A_logit_that_is_no_number_gives_a_loss_that_is_none()
    {
        using var scope = NewDisposeScope();
        var (hidden, weight, labels) = Draw(3, ScalarType.Float32);
        hidden[1, 4] = float.NaN;
        var losses = Differentiate(hidden, x => HeadLoss.Compute(x, weight, labels)).Losses.data<float>().ToArray();
        Assert.Equal([false, true, false], losses.Select(float.IsNaN));
    }

    [Fact]
    public void It_leaves_no_tensor_behind()
    {
        var before = TensorCount.AfterGarbageCollection();
        using (NewDisposeScope())
        {
            var (hidden, weight, labels) = Draw(5, ScalarType.BFloat16);
            Differentiate(hidden, x => HeadLoss.Compute(x, weight, labels));
        }

        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Equal(before, Tensor.TotalCount);
    }
}
