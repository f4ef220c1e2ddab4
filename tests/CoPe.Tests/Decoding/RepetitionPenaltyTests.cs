using CoPe.Decoding;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Decoding;

[Collection("torch")]
public class RepetitionPenaltyTests
{
    [Fact]
    public void Seen_tokens_lose_once_however_often_they_were_seen()
    {
        using var scope = NewDisposeScope();
        var scores = tensor(
            new float[,]
            {
                { 2, -2, 3, -3 },
                { 1, 1, -1, float.NegativeInfinity },
            }
        );
        var ids = tensor(
            new long[,]
            {
                { 0, 1, 1, 0 },
                { 2, 3, 3, 3 },
            }
        );
        var expected = tensor(
            new float[,]
            {
                { 1, -4, 3, -3 },
                { 1, 1, -2, float.NegativeInfinity },
            }
        );
        Assert.True(RepetitionPenalty.Apply(scores, ids, 2).Equals(expected));
    }

    [Fact]
    public void It_leaves_its_input_alone_and_only_its_result_behind()
    {
        using var scores = ones(1, 3);
        using var ids = zeros(1, 1, ScalarType.Int64);
        var before = TensorCount.AfterGarbageCollection();
        RepetitionPenalty.Apply(scores, ids, 2).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
        using var untouched = ones(1, 3);
        Assert.True(scores.Equals(untouched));
    }
}
