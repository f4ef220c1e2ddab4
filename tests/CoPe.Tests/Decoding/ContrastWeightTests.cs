using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Testing;

namespace CoPe.Tests.Decoding;

[Collection("torch")]
public class ContrastWeightTests
{
    [Theory]
    [InlineData(false, 1, RepetitionPenaltyTarget.Score)]
    [InlineData(true, 1, RepetitionPenaltyTarget.Score)]
    [InlineData(false, 1.3, RepetitionPenaltyTarget.Score)]
    [InlineData(true, 1.3, RepetitionPenaltyTarget.Logits)]
    public void The_contrast_is_left_out_where_the_amateur_is_certain_and_only_there(
        bool draws,
        double penalty,
        RepetitionPenaltyTarget penalize
    )
    {
        using var golden = GoldenModel.Llama();
        string Answer(double contrast, double? unlessCertain) =>
            DecodingEngineTests.Show(
                golden
                    .Engine()
                    .InOrder([
                        new DecodingRequest
                        {
                            Id = "a",
                            Prompt = [66, 379, 189],
                            Expert = GoldenModel.Expert,
                            Amateur = AdapterSelection.Task,
                            Options = new()
                            {
                                Contrast = contrast,
                                ContrastUnlessCertain = unlessCertain,
                                DoSample = draws,
                                RepetitionPenalty = penalty,
                                Penalize = penalize,
                                MaxNewTokens = 30,
                            },
                        },
                    ])
            );
        Assert.NotEqual(Answer(contrast: 0, null), Answer(contrast: 2, null));
        Assert.Equal(Answer(contrast: 0, null), Answer(contrast: 2, unlessCertain: 0)); // any amateur is so certain
        Assert.Equal(Answer(contrast: 2, null), Answer(contrast: 2, unlessCertain: 1)); // and none is so certain
    }
}
