using CoPe.Modeling;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Modeling;

[Collection("torch")]
public sealed class CappedAttentionTests
{
    const double Cap = 1.5;

    [Theory]
    [InlineData(true, false, 1)]
    [InlineData(true, false, 300)]
    [InlineData(false, true, 90)]
    [InlineData(false, false, 90)]
    public void A_few_queries_at_a_time_give_the_values_and_gradients_of_all_at_once(
        bool isCausal,
        bool hasMask,
        long maxScores
    )
    {
        using var scope = NewDisposeScope();
        var mask = hasMask ? CreateMask() : null;
        Tensor[] inputs = [Random(2, 7, 4, 6), Random(2, 7, 2, 6), Random(2, 7, 2, 6)];
        var expected = Define(inputs, isCausal ? CreateCausal() : mask);
        var gradients = Backward(expected, inputs);

        Tensor[] leaves = [.. inputs.Select(input => input.detach().clone().requires_grad_())];
        var found = CappedAttention.Attend(leaves[0], leaves[1], leaves[2], mask, isCausal, Cap, maxScores);
        TinyModels.AssertClose(expected, found, 1e-5);
        Assert.All(
            gradients.Zip(Backward(found, leaves)),
            pair => TinyModels.AssertClose(pair.First, pair.Second, 1e-5)
        );

        using var noGrad = no_grad();
        TinyModels.AssertClose(
            expected,
            CappedAttention.Attend(leaves[0], leaves[1], leaves[2], mask, isCausal, Cap, maxScores),
            1e-5
        );
    }

    static Tensor[] Backward(Tensor output, Tensor[] inputs)
    {
        output.mul(0.7).sin().sum().backward();
        return [.. inputs.Select(input => input.grad!)];
    }

    /// <summary>In plain operations: keys repeated for the heads that share them.</summary>
    static Tensor Define(Tensor[] inputs, Tensor? mask)
    {
        var (q, k, v) = (inputs[0].transpose(1, 2), Repeat(inputs[1]), Repeat(inputs[2]));
        var scores = q.matmul(k.transpose(2, 3)).div(Math.Sqrt(6)).div(Cap).tanh().mul(Cap);
        scores = mask is null ? scores : scores.add(mask);
        return scores.softmax(-1).matmul(v).transpose(1, 2);
    }

    static Tensor Repeat(Tensor heads) => heads.transpose(1, 2).repeat_interleave(2, 1);

    static Tensor CreateCausal() =>
        zeros(1, 1, 7, 7).masked_fill(ones([7, 7], ScalarType.Bool).tril().logical_not(), double.NegativeInfinity);

    static Tensor CreateMask()
    {
        var visible = ones([2, 1, 7, 7], ScalarType.Bool).tril();
        visible[1, 0, 4, 1] = false;
        return zeros(2, 1, 7, 7).masked_fill(visible.logical_not(), double.NegativeInfinity);
    }

    static Tensor Random(params long[] shape)
    {
        using var generator = new Generator((ulong)shape[2], CPU);
        return randn(shape, generator: generator).requires_grad_();
    }
}
