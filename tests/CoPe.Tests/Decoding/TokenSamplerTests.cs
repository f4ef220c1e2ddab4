using CoPe.Decoding;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Decoding;

[Collection("torch")]
public class TokenSamplerTests
{
    static float[] Probabilities(float[] probabilities, double temperature, int topK, double topP)
    {
        using var scope = NewDisposeScope();
        return TokenSampler
            .Warp(tensor(probabilities).log().unsqueeze(0), temperature, topK, topP)
            .softmax(-1)
            .data<float>()
            .ToArray();
    }

    [Fact]
    public void Top_k_keeps_the_k_best() =>
        AssertNear([.5f / .8f, 0, .3f / .8f, 0], Probabilities([.5f, .15f, .3f, .05f], 1, 2, 1));

    [Fact]
    public void Top_p_keeps_the_fewest_tokens_that_hold_p() // .5 + .3 = .8 < .9, so the third is needed
        => AssertNear([.5f / .95f, .15f / .95f, .3f / .95f, 0], Probabilities([.5f, .15f, .3f, .05f], 1, 0, .9));

    [Fact]
    public void Top_p_looks_at_what_top_k_left() // of .5 and .3 the first holds .625
        => AssertNear([1, 0, 0, 0], Probabilities([.5f, .15f, .3f, .05f], 1, 2, .6));

    [Fact]
    public void Top_p_keeps_at_least_the_best() =>
        AssertNear([1, 0, 0, 0], Probabilities([.5f, .15f, .3f, .05f], 1, 0, 1e-6));

    [Fact]
    public void Temperature_divides_before_anything_is_cut() // squares: .25 : .0225 : .09 : .0025
        => AssertNear([.25f / .34f, 0, .09f / .34f, 0], Probabilities([.5f, .15f, .3f, .05f], .5, 0, .9));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(.4999, 0)]
    [InlineData(.5001, 2)]
    [InlineData(.7999, 2)]
    [InlineData(.8001, 3)]
    [InlineData(.99999999976, 3)]
    public void A_draw_takes_the_token_whose_share_of_the_unit_interval_holds_the_number(double uniform, long expected)
    {
        using var scope = NewDisposeScope();
        var scores = tensor(new float[] { .5f, 0, .3f, .2f, 0 }).log().unsqueeze(0);
        Assert.Equal(expected, TokenSampler.Draw(scores, tensor([uniform], ScalarType.Float64)).item<long>());
    }

    [Theory]
    [InlineData(.01)]
    [InlineData(.5)]
    [InlineData(.95)]
    [InlineData(.99)]
    public void The_nucleus_by_histogram_is_the_nucleus_by_sorting(double p)
    {
        using var scope = NewDisposeScope();
        var scores = cat([
            randn(20, 3000, generator: new Generator(8)) * 3,
            zeros(1, 3000),
            full(1, 3000, float.NegativeInfinity).index_fill_(1, tensor(7L), 2f),
        ]);
        var (sorted, counted) = (
            scores >= Nucleus.ThresholdBySort(scores, p),
            scores >= Nucleus.ThresholdByHistogram(scores, p)
        );
        Assert.True(sorted.Equals(counted));
        var held = scores.softmax(1).masked_fill(counted.logical_not(), 0).sum(1);
        Assert.True((held >= p - 1e-4).all().item<bool>());
    }

    [Fact]
    public void Draws_follow_the_distribution()
    {
        using var scope = NewDisposeScope();
        const int draws = 20_000;
        var uniforms = tensor(
            Enumerable.Range(0, draws).Select(i => new UniformGenerator(11, 0).At(i)).ToArray(),
            ScalarType.Float64
        );
        var scores = tensor(new float[] { .5f, .3f, .2f }).log().unsqueeze(0).expand(draws, -1);
        var shares = TokenSampler.Draw(scores, uniforms).bincount(null, 3).to(ScalarType.Float32) / draws;
        Assert.True(allclose(shares, tensor(new float[] { .5f, .3f, .2f }), atol: .015));
    }

    [Fact]
    public void Streams_of_other_seeds_and_samples_are_unrelated_and_a_stream_repeats()
    {
        var a = Enumerable.Range(0, 50).Select(new UniformGenerator(1, 0).At).ToArray();
        Assert.Equal(a, Enumerable.Range(0, 50).Select(new UniformGenerator(1, 0).At));
        Assert.Empty(a.Intersect(Enumerable.Range(0, 50).Select(new UniformGenerator(1, 1).At)));
        Assert.Empty(a.Intersect(Enumerable.Range(0, 50).Select(new UniformGenerator(2, 0).At)));
    }

    [Fact]
    public void Sampling_leaves_only_its_results()
    {
        using var scores = randn(3, 20);
        using var uniforms = rand(3, ScalarType.Float64);
        var before = TensorCount.AfterGarbageCollection();
        using (var warped = TokenSampler.Warp(scores, .5, 5, .9))
        {
            TokenSampler.Draw(warped, uniforms).Dispose();
        }

        TokenSampler.Warp(scores, 1, 0, 1).Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }

    static void AssertNear(float[] expected, float[] actual)
    {
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-5f);
        }
    }
}
