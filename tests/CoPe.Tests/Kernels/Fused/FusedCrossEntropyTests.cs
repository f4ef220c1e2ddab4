using CoPe.Kernels.Fused;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Kernels.Fused;

/// <summary>Against torch's cross entropy in float64.</summary>
[Collection("torch")]
public class FusedCrossEntropyTests
{
    [Theory]
    [InlineData(1, 3)]
    [InlineData(5, 32)]
    [InlineData(3, 1003)]
    [InlineData(40, 4099)]
    public void Losses_and_their_gradient_are_those_of_torch(int rows, int vocab)
    {
        using var scope = NewDisposeScope();
        var logits = CreateLogits(rows, vocab).requires_grad_();
        var labels = randint(vocab, rows, generator: new Generator(2, CPU));
        var weights = randn(rows, generator: new Generator(3, CPU));
        var losses = FusedCrossEntropy.Apply(logits, labels);
        losses.mul(weights).sum().backward();

        var exact = logits.detach().to(ScalarType.Float64).requires_grad_();
        var exactLosses = nn.functional.cross_entropy(exact, labels, reduction: nn.Reduction.None);
        exactLosses.mul(weights.to(ScalarType.Float64)).sum().backward();
        Assert.True(losses.to(ScalarType.Float64).sub(exactLosses).abs().max().item<double>() < 2e-5);
        // Gradients are rounded to bf16.
        var tolerance = exact.grad!.abs().mul(1.0 / 256).add(1e-7);
        var distance = logits.grad!.to(ScalarType.Float64).sub(exact.grad!).abs();
        Assert.True(distance.less_equal(tolerance).all().item<bool>());
    }

    [Fact]
    public void Losses_without_a_gradient_are_the_same()
    {
        using var scope = NewDisposeScope();
        var (logits, labels) = (CreateLogits(6, 501), arange(6));
        var tracked = FusedCrossEntropy.Apply(logits.clone().requires_grad_(), labels);
        Assert.Equal(tracked.data<float>().ToArray(), FusedCrossEntropy.Apply(logits, labels).data<float>().ToArray());
    }

    [Fact]
    public void A_row_has_the_same_bits_in_any_batch()
    {
        using var scope = NewDisposeScope();
        var (logits, labels) = (CreateLogits(9, 777), arange(9));
        var all = FusedCrossEntropy.Apply(logits, labels).data<float>().ToArray();
        var alone = FusedCrossEntropy.Apply(logits.narrow(0, 4, 1), labels.narrow(0, 4, 1));
        Assert.Equal(all[4], alone.item<float>());
    }

    [Fact]
    public void Logits_that_are_minus_infinity_have_no_probability_and_NaN_stays_in_its_row()
    {
        using var scope = NewDisposeScope();
        var logits = CreateLogits(3, 40);
        logits[0].fill_(float.NegativeInfinity);
        logits[0, 7] = 1;
        logits[0, 8] = 1;
        logits[1, 5] = float.NaN;
        var losses = FusedCrossEntropy.Apply(logits, tensor((long[])[7, 3, 3])).data<float>().ToArray();
        Assert.Equal(MathF.Log(2), losses[0], 1e-6f);
        Assert.True(float.IsNaN(losses[1]));
        Assert.True(float.IsFinite(losses[2]));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(40)]
    public void A_label_outside_the_vocabulary_is_refused(int label)
    {
        using var scope = NewDisposeScope();
        var labels = tensor((long[])[3, label]);
        Assert.Throws<ArgumentOutOfRangeException>(() => FusedCrossEntropy.Apply(CreateLogits(2, 40), labels));
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
        var logits = CreateLogits(4, 100).requires_grad_();
        FusedCrossEntropy.Apply(logits, arange(4)).sum().backward();
        logits.grad!.Dispose();
    }

    static Tensor CreateLogits(int rows, int vocab) =>
        randn([rows, vocab], generator: new Generator(1, CPU)).mul(4).to(ScalarType.BFloat16);
}
