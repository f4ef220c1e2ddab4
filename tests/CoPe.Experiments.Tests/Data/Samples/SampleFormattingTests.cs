using CoPe.Experiments.Data.Samples;

namespace CoPe.Experiments.Tests.Data.Samples;

public class SampleFormattingTests
{
    [Theory]
    [InlineData("a  old pier- and so on", "sentence", ".", "An old pier - and so on.")]
    [InlineData("Ashford opens a unique pier", "lower", "none", "ashford opens a unique pier")]
    [InlineData("the pier of the town", "title", "!", "The Pier of the Town!")]
    [InlineData("does it matter?", "sentence", "!", "Does it matter?")]
    public void A_line_is_spaced_cased_and_stopped(string raw, string letterCase, string stop, string line) =>
        Assert.Equal(line, SampleFormatting.FormatLine(raw, letterCase, stop));

    [Fact]
    public void Every_sentence_of_a_text_begins_with_a_capital() =>
        Assert.Equal("An owl. Is it? Yes... No", SampleFormatting.FormatText("a owl. is it? yes... no"));
}
