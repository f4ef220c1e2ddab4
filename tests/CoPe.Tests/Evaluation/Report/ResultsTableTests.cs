using CoPe.Evaluation.Report;

namespace CoPe.Tests.Evaluation.Report;

public class ResultsTableTests
{
    [Theory]
    [InlineData(false, false, 0.5)]
    [InlineData(true, false, 0.2)]
    [InlineData(false, true, null)]
    public void The_best_follows_the_direction_and_a_description_has_none(bool lowerIsBetter, bool descriptive, double? best) =>
        Assert.Equal(best, Table(0.2, double.NaN, 0.5).Best(new MetricColumn { Name = "m", LowerIsBetter = lowerIsBetter, Descriptive = descriptive }));

    [Fact]
    public void Equal_methods_have_no_best() => Assert.Null(Table(0.3, 0.3).Best(new MetricColumn { Name = "m" }));

    private static ResultsTable Table(params double[] means) => new()
    {
        Methods = [.. means.Select((_, index) => $"method {index}")],
        Metrics = [new MetricColumn { Name = "m" }],
        Cells = [.. means.Select((mean, index) => new ResultCell { Method = $"method {index}", Metric = "m", Mean = mean })],
    };
}
