using CoPe.Experiments.Report.Sections;

namespace CoPe.Experiments.Tests.Report;

public class TokenSpanTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.37, 0)]
    [InlineData(0.375, 1)]
    [InlineData(-1.5, -2)]
    [InlineData(3, 4)]
    [InlineData(99, 4)]
    [InlineData(double.NegativeInfinity, -4)]
    [InlineData(double.NaN, 0)]
    public void Color_grows_with_the_difference_and_is_full_at_three_nats(double difference, int level) =>
        Assert.Equal(level, TokenSpan.Level(difference));
}
