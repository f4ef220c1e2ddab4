using CoPe.Evaluation.Report;

namespace CoPe.Tests.Evaluation.Report;

public class UserGainsTests
{
    private static readonly MethodComparison Comparison = new() { Method = "CoPe", Baseline = "TAM" };

    [Theory]
    [InlineData(false, new[] { "a", "c", "b" })]
    [InlineData(true, new[] { "b", "c", "a" })]
    public void Gains_follow_the_direction_of_the_metric_best_first(bool lowerIsBetter, string[] order)
    {
        // a: .5 - .2 = +.3; b: .1 - .4 = -.3; c: equal. d has no baseline and is left out.
        var gains = UserGains.Of(Model(("a", 0.5, 0.2), ("b", 0.1, 0.4), ("c", 0.3, 0.3), ("d", 0.9, double.NaN)), Comparison,
            new MetricColumn { Name = "m", LowerIsBetter = lowerIsBetter });
        Assert.Equal(order, gains.Sorted.Select(user => user.User));
        Assert.Equal((1, 1), (gains.Helped, gains.Hurt));
        Assert.Equal(0, gains.Mean, 12);
    }

    private static ReportModel Model(params (string User, double Method, double Baseline)[] users) => new()
    {
        Title = "gains",
        UserScores = [.. users.SelectMany(user => new[]
        {
            new UserScore { User = user.User, Method = "CoPe", Metric = "m", Value = user.Method },
            new UserScore { User = user.User, Method = "TAM", Metric = "m", Value = user.Baseline },
        })],
    };
}
