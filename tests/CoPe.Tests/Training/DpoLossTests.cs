using CoPe.Testing;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Tests.Training;

[Collection("torch")]
public class DpoLossTests
{
    // Log-ratios: (-3 - -5) - (-4 - -4.5) = 2 - 0.5 = 1.5 and (-6 - -5) - (-5 - -5) = -1.
    static readonly float[] PolicyChosen = [-3, -6];
    static readonly float[] PolicyRejected = [-5, -5];
    static readonly float[] ReferenceChosen = [-4, -5];
    static readonly float[] ReferenceRejected = [-4.5f, -5];

    static float[] Run(Func<Tensor, Tensor> loss)
    {
        using var scope = NewDisposeScope();
        var ratio = DpoLoss.LogRatio(
            tensor(PolicyChosen),
            tensor(PolicyRejected),
            tensor(ReferenceChosen),
            tensor(ReferenceRejected)
        );
        return loss(ratio).data<float>().ToArray();
    }

    [Fact]
    public void Log_ratio_is_the_policys_margin_over_the_references() => AssertNear([1.5, -1], Run(ratio => ratio));

    [Fact]
    public void Sigmoid_loss_by_hand()
    {
        // beta 0.5: -log sigmoid(0.75) = log(1 + e^-0.75) = 0.386871; -log sigmoid(-0.5) = log(1 + e^0.5) = 0.974077.
        AssertNear([0.386871, 0.974077], Run(ratio => DpoLoss.Sigmoid(ratio, 0.5)));
    }

    [Fact]
    public void Label_smoothing_mixes_in_the_loss_of_the_swapped_pair()
    {
        // epsilon 0.1: 0.9 * 0.386871 + 0.1 * log(1 + e^0.75) = 0.348184 + 0.113687 = 0.461871.
        AssertNear([0.461871, 0.9 * 0.974077 + 0.1 * 0.474077], Run(ratio => DpoLoss.Sigmoid(ratio, 0.5, 0.1)));
    }

    [Fact]
    public void Ipo_loss_by_hand()
    {
        // beta 0.5: (h - 1)^2 = 0.25 and 4.
        AssertNear([0.25, 4], Run(ratio => DpoLoss.Ipo(ratio, 0.5)));
    }

    [Fact]
    public void Hinge_loss_by_hand()
    {
        // beta 1: max(0, 1 - 1.5) = 0 and 1 + 1 = 2.
        AssertNear([0, 2], Run(ratio => DpoLoss.Hinge(ratio, 1)));
    }

    [Fact]
    public void Reward_is_beta_times_what_the_policy_adds()
    {
        using var scope = NewDisposeScope();
        AssertNear(
            [0.1, -0.1],
            DpoLoss.Reward(tensor(PolicyChosen), tensor(ReferenceChosen), 0.1).data<float>().ToArray()
        );
    }

    [Fact]
    public void Losses_leave_no_tensor_behind()
    {
        using var ratio = tensor(PolicyChosen);
        var before = TensorCount.AfterGarbageCollection();
        DpoLoss.Sigmoid(ratio, 0.1, 0.1).Dispose();
        DpoLoss.Ipo(ratio, 0.1).Dispose();
        DpoLoss.Hinge(ratio, 0.1).Dispose();
        DpoLoss.Reward(ratio, ratio, 0.1).Dispose();
        DpoLoss.LogRatio(ratio, ratio, ratio, ratio).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Smoothing_of_a_loss_that_has_none_is_refused() =>
        Assert.Throws<ArgumentException>(() =>
            new DpoOptions { Loss = DpoLossKind.Hinge, LabelSmoothing = 0.1 }.Validate()
        );

    static void AssertNear(double[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-5);
        }
    }
}
