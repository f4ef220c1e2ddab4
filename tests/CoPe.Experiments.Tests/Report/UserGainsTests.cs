using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Report;

namespace CoPe.Experiments.Tests.Report;

public class UserGainsTests
{
    static readonly MethodComparison Comparison = new() { Method = "CoPe", Baseline = "TAM" };

    [Theory]
    [InlineData(false, new[] { "a", "c", "b" })]
    [InlineData(true, new[] { "b", "c", "a" })]
    public void Gains_follow_the_direction_of_the_metric_best_first(bool lowerIsBetter, string[] order)
    {
        // a: .5 - .2 = +.3; b: .1 - .4 = -.3; c: equal. d has no baseline and is left out.
        var gains = UserGains.Compute(
            Model(("a", 0.5, 0.2), ("b", 0.1, 0.4), ("c", 0.3, 0.3), ("d", 0.9, double.NaN)),
            Comparison,
            new MetricColumn { Name = "m", LowerIsBetter = lowerIsBetter }
        );
        Assert.Equal(order, gains.Sorted.Select(user => user.User));
        Assert.Equal((1, 1), (gains.Helped, gains.Hurt));
        Assert.Equal(0, gains.Mean, 12);
    }

    static ReportModel Model(params (string User, double Method, double Baseline)[] users) =>
        new()
        {
            Title = "gains",
            UserScores =
            [
                .. users.SelectMany(user =>
                    new[]
                    {
                        new UserScore
                        {
                            User = user.User,
                            Method = "CoPe",
                            Metric = "m",
                            Value = user.Method,
                        },
                        new UserScore
                        {
                            User = user.User,
                            Method = "TAM",
                            Metric = "m",
                            Value = user.Baseline,
                        },
                    }
                ),
            ],
        };
}

public class RankCorrelationTests
{
    [Fact]
    public void Rising_together_is_one_and_against_each_other_minus_one()
    {
        Assert.Equal(1, RankCorrelation.Spearman([1, 10, 100], [2, 3, 9]), 12);
        Assert.Equal(-1, RankCorrelation.Spearman([1, 10, 100], [9, 3, 2]), 12);
    }

    [Fact]
    public void Ties_share_their_mean_rank()
    {
        // Ranks of x: 0, 1.5, 1.5, 3; of y: 0, 1, 2, 3. Covariance sum 4.5, variances 4.5 and 5: 4.5 / sqrt(22.5) =
        // 0.9486833.
        Assert.Equal(0.9486832980505138, RankCorrelation.Spearman([1, 2, 2, 3], [1, 2, 3, 4]), 12);
    }

    [Fact]
    public void Constant_or_too_few_values_have_none()
    {
        Assert.Equal(double.NaN, RankCorrelation.Spearman([1, 1, 1], [1, 2, 3]));
        Assert.Equal(double.NaN, RankCorrelation.Spearman([1, 2], [1, 2]));
    }
}
