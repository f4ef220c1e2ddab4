using CoPe.Testing;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Tests.Training;

[Collection("torch")]
public class SftLossTests
{
    // softmax(0, log 3) = (1/4, 3/4); softmax(log 9, 0) = (9/10, 1/10).
    static Tensor Logits() => tensor(new[] { 0f, MathF.Log(3), MathF.Log(9), 0f }, [2, 2]);

    [Fact]
    public void Loss_of_a_token_is_minus_the_log_of_its_probability()
    {
        using var scope = NewDisposeScope();
        var losses = SftLoss.ComputePerToken(Logits(), tensor(new long[] { 1, 1 })).data<float>().ToArray();
        Assert.Equal(-Math.Log(0.75), losses[0], 1e-6);
        Assert.Equal(-Math.Log(0.1), losses[1], 1e-6);
    }

    [Fact]
    public void Mean_is_over_label_tokens()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(
            (-Math.Log(0.25) - Math.Log(0.9)) / 2,
            SftLoss.ComputeMean(Logits(), tensor(new long[] { 0, 0 })).item<float>(),
            1e-6
        );
    }

    [Fact]
    public void Softmax_of_half_precision_logits_is_taken_in_float32()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(
            ScalarType.Float32,
            SftLoss.ComputePerToken(Logits().to(ScalarType.BFloat16), tensor(new long[] { 0, 0 })).dtype
        );
    }

    [Fact]
    public void A_batch_without_labels_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => SftLoss.ComputeMean(zeros(0, 4), zeros(0, dtype: ScalarType.Int64)));
    }

    [Fact]
    public void Shapes_that_do_not_belong_together_are_refused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => SftLoss.ComputePerToken(zeros(3, 4), zeros(2, dtype: ScalarType.Int64)));
        Assert.Throws<ArgumentException>(() => SequenceLogProb.Sum(zeros(3), zeros(2, dtype: ScalarType.Int64), 1));
    }

    [Fact]
    public void Sequence_log_probs_add_up_token_by_token()
    {
        using var scope = NewDisposeScope();
        var sums = SequenceLogProb
            .Sum(tensor(new[] { -1f, -2f, -4f }), tensor(new long[] { 0, 2, 0 }), 3)
            .data<float>()
            .ToArray();
        Assert.Equal([-5f, 0f, -2f], sums);
    }

    [Fact]
    public void Losses_leave_no_tensor_behind()
    {
        using var logits = Logits();
        using var labels = tensor(new long[] { 0, 1 });
        var before = TensorCount.AfterGarbageCollection();
        SftLoss.ComputePerToken(logits, labels).Dispose();
        SftLoss.ComputeMean(logits, labels).Dispose();
        using (var tokens = SftLoss.ComputePerToken(logits, labels))
        {
            SequenceLogProb.Sum(tokens, labels, 2).Dispose();
        }

        Assert.Equal(before, Tensor.TotalCount);
    }
}
