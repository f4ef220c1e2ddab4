using CoPe.Cli.Display;

namespace CoPe.Cli.Tests.Display;

public class DisplayFormatTests
{
    [Theory]
    [InlineData(7, "0:07")]
    [InlineData(754, "12:34")]
    [InlineData(3723, "1:02:03")]
    public void Times_are_minutes_and_seconds(int seconds, string text) =>
        Assert.Equal(text, DisplayFormat.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0, "0")]
    [InlineData(37, "37")]
    [InlineData(8.1e-5, "8.1e-5")]
    [InlineData(1.93241, "1.932")]
    [InlineData(2140.4, "2,140")]
    public void Numbers_have_the_digits_that_count(double value, string text) =>
        Assert.Equal(text, DisplayFormat.Number(value));

    [Fact]
    public void Progress_is_said_in_one_line() =>
        Assert.Equal(
            "12 users, 140 of 240 steps, loss 1.932, margins 0.500, 2,140 tokens/s, 812 MB",
            DisplayFormat.Progress(
                new()
                {
                    Stage = "train sft",
                    User = "12 users",
                    Done = 140,
                    Total = 240,
                    Figures = new Dictionary<string, double>
                    {
                        ["loss"] = 1.932,
                        ["logps/chosen"] = -156,
                        ["rewards/margins"] = 0.5,
                        ["tokens/s"] = 2140,
                        ["memory MB"] = 812.4,
                    },
                }
            )
        );
}
