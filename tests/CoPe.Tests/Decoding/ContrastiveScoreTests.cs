using CoPe.Decoding;
using CoPe.Kernels.Torch;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Decoding;

[Collection("torch")]
public class ContrastiveScoreTests
{
    // p_e = (.6, .3, .06, .04), p_a = (.7, .1, .1, .1). With plausibility .1 the head is p >= .06: the first three,
    // renormalized by .96.
    static readonly float[] Expert = [.6f, .3f, .06f, .04f];
    static readonly float[] Amateur = [.7f, .1f, .1f, .1f];

    static float[] Score(double contrast, double plausibility, bool epsilon = false)
    {
        using var scope = NewDisposeScope();
        var expert = tensor(Expert).log().unsqueeze(0) + 3; // logits are log-probabilities up to a constant
        var amateur = tensor(Amateur).log().unsqueeze(0) - 2;
        return ContrastiveScore.Compute(expert, amateur, contrast, plausibility, epsilon).data<float>().ToArray();
    }

    [Fact]
    public void A_token_in_the_head_scores_its_renormalized_log_probability_less_the_weighted_amateurs()
    {
        var score = Score(contrast: .5, plausibility: .09);
        Assert.Equal(Math.Log(.6 / .96) - .5 * Math.Log(.7), score[0], 5);
        Assert.Equal(Math.Log(.3 / .96) - .5 * Math.Log(.1), score[1], 5);
        Assert.Equal(Math.Log(.06 / .96) - .5 * Math.Log(.1), score[2], 5);
    }

    [Fact]
    public void A_token_outside_the_head_can_never_win()
    {
        Assert.Equal(float.NegativeInfinity, Score(contrast: .5, plausibility: .09)[3]);
        Assert.Equal(float.NegativeInfinity, Score(contrast: 100, plausibility: .09)[3]);
    }

    [Fact]
    public void The_references_epsilon_gives_tokens_outside_the_head_a_finite_score()
    {
        var score = Score(contrast: .5, plausibility: .09, epsilon: true);
        Assert.Equal(Math.Log(1e-8) - .5 * Math.Log(.1), score[3], 4);
        Assert.Equal(Math.Log(.3 / .96) - .5 * Math.Log(.1), score[1], 5);
    }

    [Fact]
    public void Without_contrast_the_score_is_the_experts_log_probability_on_the_head()
    {
        var score = Score(contrast: 0, plausibility: .4);
        Assert.Equal(Math.Log(.6 / .9), score[0], 5);
        Assert.Equal(Math.Log(.3 / .9), score[1], 5);
        Assert.All(score[2..], value => Assert.Equal(float.NegativeInfinity, value));
    }

    [Theory]
    [InlineData(.1)]
    [InlineData(.7)]
    public void An_amateur_equal_to_the_expert_scales_the_log_probability(double contrast)
    {
        using var scope = NewDisposeScope();
        var logits = randn(5, 40, generator: new Generator(3)) * 3;
        var score = ContrastiveScore.Compute(logits, logits, contrast, plausibility: 0);
        Assert.True(allclose(score, (1 - contrast) * logits.log_softmax(-1), atol: 1e-5));
    }

    [Fact]
    public void Plausibility_zero_keeps_all_and_one_keeps_the_best()
    {
        using var scope = NewDisposeScope();
        var logits = randn(4, 30, generator: new Generator(1));
        Assert.True(Plausibility.Restrict(logits, 0).Equals(logits));
        Assert.Equal(4, isfinite(Plausibility.Restrict(logits, 1)).sum().item<long>());
    }

    [Theory]
    [InlineData(.69, 0)] // the amateur's highest probability, .7, exceeds it: the expert's own score
    [InlineData(.71, .5)]
    [InlineData(null, .5)]
    public void Where_the_amateur_is_certain_the_expert_scores_alone(double? unlessCertain, double weight)
    {
        using var scope = NewDisposeScope();
        var (expert, amateur) = (tensor(Expert).log().unsqueeze(0), tensor(Amateur).log().unsqueeze(0));
        var score = ContrastiveScore.Compute(expert, amateur, .5, .09, unlessCertain: unlessCertain);
        var found = score.data<float>().ToArray();
        Assert.Equal(Math.Log(.6 / .96) - weight * Math.Log(.7), found[0], 5);
        Assert.Equal(Math.Log(.3 / .96) - weight * Math.Log(.1), found[1], 5);
        Assert.Equal(float.NegativeInfinity, found[3]);
    }

    [Fact]
    public void Each_row_is_contrasted_or_not_by_its_own_amateur()
    {
        using var scope = NewDisposeScope();
        var expert = tensor(Expert).log().expand(2, 4);
        var amateur = stack([tensor(Amateur).log(), zeros(4)]); // of the second every token has a quarter
        var score = ContrastiveScore.Compute(expert, amateur, 1, .09, unlessCertain: .6);
        var contrasted = ContrastiveScore.Compute(expert, amateur, 1, .09);
        var alone = ContrastiveScore.Compute(expert, amateur, 0, .09);
        Assert.True(score[0].Equals(alone[0]));
        Assert.True(score[1].Equals(contrasted[1]));
        Assert.False(score[0].Equals(contrasted[0]));
    }

    [Fact]
    public void Logits_of_different_shape_are_an_error_that_names_both()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ArgumentException>(() => ContrastiveScore.Compute(zeros(2, 3), zeros(2, 4), .1, .1));
        Assert.Contains("[2, 3]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[2, 4]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scoring_leaves_only_its_result()
    {
        using var expert = randn(3, 10);
        using var amateur = randn(3, 10);
        var before = TensorCount.AfterGarbageCollection();
        ContrastiveScore.Compute(expert, amateur, .1, .1).Dispose();
        ContrastiveScore.Compute(expert, amateur, .1, .1, referenceEpsilon: true).Dispose();
        ContrastiveScore.Compute(expert, amateur, .1, .1, unlessCertain: .2).Dispose();
        Plausibility.Restrict(expert, .1).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }
}

/// <summary>The choice without scores against the highest of the scores.</summary>
[Collection("torch")]
public class ContrastiveArgmaxTests
{
    const long InvalidToken = -1;

    [Theory]
    [InlineData(.1, .1, null)]
    [InlineData(1, .1, null)]
    [InlineData(.5, .9, null)]
    [InlineData(0, .1, null)]
    [InlineData(.3, 0, null)] // the head is the whole vocabulary
    [InlineData(1, .1, .4)] // about half of the rows are contrasted
    [InlineData(1, 0, .4)]
    [InlineData(1, .1, 0.0)]
    [InlineData(1, .1, 1.0)]
    public void The_argmax_is_the_token_with_the_highest_score(
        double contrast,
        double plausibility,
        double? unlessCertain
    )
    {
        var options = new DecodingOptions
        {
            Contrast = contrast,
            Plausibility = plausibility,
            ContrastUnlessCertain = unlessCertain,
        };
        for (var seed = 1; seed <= 20; seed++)
        {
            using var scope = NewDisposeScope();
            var logits = randn(10, 997, generator: new Generator((ulong)seed, CPU)) * 4;
            var (experts, amateurs) = (logits.narrow(0, 0, 5), logits.narrow(0, 5, 5));
            var scores = ContrastiveScore.Compute(
                experts,
                amateurs,
                contrast,
                plausibility,
                unlessCertain: unlessCertain
            );
            var tokens = ContrastiveArgmax.Compute(
                logits,
                [.. Enumerable.Range(0, 5).Select(row => (row, row + 5))],
                options,
                InvalidToken
            );
            var highest = scores.amax([-1]).data<float>().ToArray();
            for (var row = 0; row < 5; row++)
            {
                Assert.Equal(highest[row], scores[row, tokens[row]].item<float>(), 1e-5);
            }
        }
    }

    [Theory]
    [InlineData(2)] // fewer tokens than a vector
    [InlineData(64)]
    [InlineData(4096)] // more than one chunk
    public void The_contrast_is_left_out_beyond_the_limit_and_not_below(int vocab)
    {
        using var scope = NewDisposeScope();
        var logits = full([2, vocab], Scalars.Of(-100.0)); // of expert and amateur; two tokens are possible
        logits[0, 0] = logits[1, 0] = .1f; // p = 1 / (1 + exp(-.1)) = .52498
        logits[0, vocab - 1] = logits[1, vocab - 1] = 0;
        long Choose(double limit) =>
            ContrastiveArgmax
                .Compute(
                    logits,
                    [(0, 1)],
                    new()
                    {
                        Contrast = 10,
                        ContrastUnlessCertain = limit,
                        Plausibility = .5,
                    },
                    InvalidToken
                )
                .Single();
        Assert.Equal(0, Choose(.5249)); // certain: the expert's own
        Assert.Equal(vocab - 1, Choose(.5250)); // contrasted
    }

    [Fact]
    public void Of_equal_scores_the_first_token_wins()
    {
        using var scope = NewDisposeScope();
        var logits = zeros(2, 40);
        logits[0, 21] = logits[0, 33] = 5;
        Assert.Equal([21L], ContrastiveArgmax.Compute(logits, [(0, 1)], new(), InvalidToken));
    }

    [Theory]
    [InlineData(0, 3, float.NaN)]
    [InlineData(1, 38, float.NaN)]
    [InlineData(0, 39, float.PositiveInfinity)]
    [InlineData(1, 0, float.PositiveInfinity)]
    public void Rows_with_NaN_or_infinity_give_no_token(int row, int token, float value)
    {
        using var scope = NewDisposeScope();
        var logits = randn(4, 40, generator: new Generator(1, CPU));
        logits[row, token] = value;
        var tokens = ContrastiveArgmax.Compute(logits, [(0, 1), (2, 3)], new(), InvalidToken);
        Assert.Equal(InvalidToken, tokens[0]);
        Assert.InRange(tokens[1], 0, 39);
    }
}
