using CoPe.Decoding;

namespace CoPe.Tests.Decoding;

public class StopConditionTests
{
    static string Letters(IReadOnlyList<int> ids) => string.Concat(ids.Select(id => (char)('a' + id)));

    [Fact]
    public void Every_stop_id_ends_an_answer()
    {
        var condition = new StopCondition([7, 9], new DecodingOptions(), room: 50);
        Assert.Null(condition.Check([1, 2]));
        Assert.Equal(StopReason.StopToken, condition.Check([1, 7]));
        Assert.Equal(StopReason.StopToken, condition.Check([9]));
    }

    [Fact]
    public void A_stop_string_ends_an_answer_also_across_tokens()
    {
        var condition = new StopCondition([], new DecodingOptions { StopStrings = ["bcd"] }, room: 50, Letters);
        Assert.Null(condition.Check([0, 1, 2]));
        Assert.Equal(StopReason.StopString, condition.Check([0, 1, 2, 3]));
    }

    [Fact]
    public void The_most_new_tokens_and_the_context_end_an_answer()
    {
        Assert.Equal(
            StopReason.MaxNewTokens,
            new StopCondition([], new DecodingOptions { MaxNewTokens = 2 }, room: 2).Check([1, 1])
        );
        Assert.Equal(
            StopReason.ContextFull,
            new StopCondition([], new DecodingOptions { MaxNewTokens = 3 }, room: 2).Check([1, 1])
        );
    }

    [Fact]
    public void Stop_strings_without_a_way_to_text_are_an_error() =>
        Assert.Contains(
            "Detokenize",
            Assert
                .Throws<ArgumentException>(() => new StopCondition([], new DecodingOptions { StopStrings = ["x"] }, 5))
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Options_out_of_range_say_name_value_and_range()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new DecodingOptions { TopP = 1.5 });
        Assert.Contains("TopP is 1.5", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new DecodingOptions { Contrast = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new DecodingOptions { Contrast = double.NaN });
        Assert.Throws<ArgumentOutOfRangeException>(() => new DecodingOptions { ContrastUnlessCertain = 1.1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new DecodingOptions { Temperature = 0 });
    }
}
