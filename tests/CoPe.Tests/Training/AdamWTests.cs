using CoPe.Testing;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Tests.Training;

[Collection("torch")]
public class AdamWTests
{
    [Fact]
    public void First_step_by_hand()
    {
        // decay: 1 * (1 - 0.1 * 0.5) = 0.95; the first step moves by rate * sign(g): 0.95 - 0.1 = 0.85; undecayed: 1 +
        // 0.1.
        using var scope = NewDisposeScope();
        using var optimizer = new AdamW(1, 2, 1, new() { WeightDecay = 0.5 });
        var weights = ones(1, 2);
        optimizer.Step(weights, tensor(new[] { 3f, -2f }, [1, 2]), [0.1]);
        var after = weights.data<float>().ToArray();
        Assert.Equal(0.85, after[0], 1e-6);
        Assert.Equal(1.1, after[1], 1e-6);
    }

    [Fact]
    public void A_user_without_a_rate_is_unchanged_to_the_bit_even_when_their_gradient_is_NaN()
    {
        using var scope = NewDisposeScope();
        using var optimizer = new AdamW(3, 4, 4, new());
        var weights = rand(3, 4);
        optimizer.Step(weights, rand(3, 4), [0.1, 0.2, 0.3]);
        var (before, first, second) = (weights.clone(), optimizer.FirstMoment.clone(), optimizer.SecondMoment.clone());
        var gradients = rand(3, 4);
        gradients[1].fill_(float.NaN);
        optimizer.Step(weights, gradients, [0.1, null, 0.3]);
        foreach (
            var (now, then) in new[]
            {
                (weights, before),
                (optimizer.FirstMoment, first),
                (optimizer.SecondMoment, second),
            }
        )
        {
            Assert.True(Same(now[1], then[1]));
            Assert.False(Same(now[0], then[0]));
        }
        Assert.Equal([2L, 1L, 2L], optimizer.StepCounts);
    }

    [Fact]
    public void A_user_moves_to_the_bit_as_they_would_alone()
    {
        using var scope = NewDisposeScope();
        using var together = new AdamW(2, 37, 37, new());
        using var alone = new AdamW(1, 37, 37, new());
        var weights = rand(2, 37);
        var own = weights.narrow(0, 1, 1).clone();
        for (var step = 0; step < 5; step++)
        {
            var gradients = randn(2, 37);
            together.Step(weights, gradients, [step % 2 == 0 ? 0.5 : null, 0.01 * step]);
            alone.Step(own, gradients.narrow(0, 1, 1), [0.01 * step]);
        }
        Assert.True(Same(weights[1], own[0]));
    }

    [Fact]
    public void Clipping_scales_each_user_by_their_own_norm()
    {
        // Norms 5 and 0.1; max 0.5: coefficients 0.5 / 5 and 1.
        using var scope = NewDisposeScope();
        var norms = GradientClipping.ComputeNorms(tensor(new[] { 3f, 4f, 0.1f, 0f }, [2, 2]));
        Assert.Equal([5f, 0.1f], norms.data<float>().ToArray());
        // 0 lets every norm through.
        Assert.Equal([1f, 1f], GradientClipping.ComputeCoefficients(norms, 0).data<float>().ToArray());
        var coefficients = GradientClipping.ComputeCoefficients(norms, 0.5).data<float>().ToArray();
        Assert.Equal(0.1, coefficients[0], 1e-6);
        Assert.Equal(1f, coefficients[1]);
    }

    [Fact]
    public void A_step_leaves_no_tensor_behind()
    {
        using var weights = zeros(2, 3);
        using var gradients = ones(2, 3);
        using var optimizer = new AdamW(2, 3, 3, new());
        var before = TensorCount.AfterGarbageCollection();
        optimizer.Step(weights, gradients, [0.1, null]);
        optimizer.Step(weights, gradients, [0.1, 0.1]);
        using (var norms = GradientClipping.ComputeNorms(gradients))
        {
            GradientClipping.ComputeCoefficients(norms, 1).Dispose();
        }

        Assert.Equal(before, Tensor.TotalCount);
    }

    static bool Same(Tensor one, Tensor other) =>
        one.data<float>().ToArray().AsSpan().SequenceEqual(other.data<float>().ToArray());
}
