using CoPe.Decoding;
using static TorchSharp.torch;

namespace CoPe.Tests.Decoding;

/// <summary>The choice without scores against the highest of the scores.</summary>
[Collection("torch")]
public class ContrastiveChoiceTests
{
    const long NoNumber = -1;

    [Theory]
    [InlineData(.1, .1)]
    [InlineData(1, .1)]
    [InlineData(.5, .9)]
    [InlineData(0, .1)]
    [InlineData(.3, 0)] // the head is the whole vocabulary
    public void It_is_the_token_with_the_highest_score(double contrast, double plausibility)
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            using var scope = NewDisposeScope();
            var logits = randn(10, 997, generator: new Generator((ulong)seed, CPU)) * 4;
            var (experts, amateurs) = (logits.narrow(0, 0, 5), logits.narrow(0, 5, 5));
            var scores = ContrastiveScore.Compute(experts, amateurs, contrast, plausibility);
            var tokens = ContrastiveChoice.Compute(logits, [.. Enumerable.Range(0, 5).Select(row => (row, row + 5))], contrast, plausibility, NoNumber);
            var highest = scores.amax([-1]).data<float>().ToArray();
            for (var row = 0; row < 5; row++) Assert.Equal(highest[row], scores[row, tokens[row]].item<float>(), 1e-5);
        }
    }

    [Fact]
    public void Of_equals_it_is_the_first()
    {
        using var scope = NewDisposeScope();
        var logits = zeros(2, 40);
        logits[0, 21] = logits[0, 33] = 5;
        Assert.Equal([21L], ContrastiveChoice.Compute(logits, [(0, 1)], .1, .1, NoNumber));
    }

    [Theory]
    [InlineData(0, 3, float.NaN)]
    [InlineData(1, 38, float.NaN)]
    [InlineData(0, 39, float.PositiveInfinity)]
    [InlineData(1, 0, float.PositiveInfinity)]
    public void Rows_without_numbers_give_none(int row, int token, float value)
    {
        using var scope = NewDisposeScope();
        var logits = randn(4, 40, generator: new Generator(1, CPU));
        logits[row, token] = value;
        var tokens = ContrastiveChoice.Compute(logits, [(0, 1), (2, 3)], .1, .1, NoNumber);
        Assert.Equal(NoNumber, tokens[0]);
        Assert.InRange(tokens[1], 0, 39);
    }
}
