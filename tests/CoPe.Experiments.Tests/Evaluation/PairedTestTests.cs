using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Tests.Evaluation;

public class PairedTestTests
{
    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(5, 5, 1)]
    [InlineData(1, 9, 2 * (1 + 10) / 1024.0)]
    [InlineData(0, 10, 2 / 1024.0)]
    [InlineData(10, 0, 2 / 1024.0)]
    public void The_sign_test_is_the_binomial_tail(int helped, int hurt, double p) =>
        Assert.Equal(p, PairedTest.SignTest(helped, hurt), 12);

    [Fact]
    // Z = 1.99 of 200 / sqrt(10000).
    public void The_sign_test_bears_large_counts() => Assert.InRange(PairedTest.SignTest(5100, 4900), 0.04, 0.05);

    [Fact]
    public void A_clear_gain_is_significant_and_counts_users()
    {
        var method = Scores("cope", (user, query) => 0.5 + 0.01 * user + (user == 0 ? -0.2 : 0.1));
        var comparison = PairedTest.Compare(method, Scores("sft", (user, _) => 0.5 + 0.01 * user), Metric.RougeL);
        Assert.Equal(
            (PairedUnit.Users, 20, 19, 1, 0),
            (comparison.Unit, comparison.Units, comparison.Helped, comparison.Hurt, comparison.Equal)
        );
        Assert.Equal((19 * 0.1 - 0.2) / 20, comparison.Difference, 12);
        Assert.InRange(comparison.BootstrapP, 0, 0.001);
        Assert.Equal(2 * (1 + 20) / Math.Pow(2, 20), comparison.SignP, 12);
        Assert.InRange(comparison.Low, 0.01, comparison.Difference);
        Assert.InRange(comparison.High, comparison.Difference, 0.11);
    }

    [Fact]
    public void For_a_metric_of_errors_less_is_better()
    {
        var comparison = PairedTest.Compare(
            Scores("cope", (_, _) => 0.2),
            Scores("sft", (_, _) => 0.3),
            Metric.RougeL with
            {
                Direction = MetricDirection.Lower,
            }
        );
        Assert.Equal((20, 0), (comparison.Helped, comparison.Hurt));
        Assert.Equal(-0.1, comparison.Difference, 12);
    }

    [Fact]
    public void Without_a_true_difference_p_is_below_a_twentieth_in_about_one_of_twenty_trials()
    {
        var random = new Random(11);
        var low = Enumerable
            .Range(0, 200)
            .Count(_ =>
                PairedTest
                    .Compare(
                        Scores("a", (_, _) => random.NextDouble()),
                        Scores("b", (_, _) => random.NextDouble()),
                        Metric.RougeL,
                        new() { Resamples = 500 }
                    )
                    .BootstrapP < 0.05
            );
        Assert.InRange(low, 2, 26);
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits()
    {
        MethodScores one = Scores("a", (user, query) => user * query % 7),
            other = Scores("b", (user, query) => user * query % 5);
        Assert.Equal(PairedTest.Compare(one, other, Metric.RougeL), PairedTest.Compare(one, other, Metric.RougeL));
        Assert.NotEqual(
            PairedTest.Compare(one, other, Metric.RougeL).Low,
            PairedTest.Compare(one, other, Metric.RougeL, new() { Seed = 1, Resamples = 100 }).Low
        );
    }

    [Fact]
    public void Comparisons_made_together_are_those_made_alone()
    {
        var random = new Random(3);
        var methods = Enumerable
            .Range(0, 4)
            .Select(place => Scores($"m{place}", (_, _) => random.NextDouble()))
            .ToArray();
        (MethodScores, MethodScores, Metric)[] tests =
        [
            (methods[1], methods[0], Metric.RougeL),
            (methods[2], methods[0], Metric.RougeL),
            (methods[3], methods[1], Metric.RougeL),
        ];
        PairedTestOptions options = new() { Resamples = 150 };
        Assert.Equal(
            tests.Select(test => PairedTest.Compare(test.Item1, test.Item2, test.Item3, options)),
            PairedTest.CompareAll(tests, options)
        );
    }

    [Fact]
    public void One_user_is_compared_by_their_queries()
    {
        var comparison = PairedTest.Compare(
            Scores("a", (_, query) => query, users: 1),
            Scores("b", (_, _) => 0, users: 1),
            Metric.RougeL
        );
        Assert.Equal(
            (PairedUnit.Queries, 3, 2, 1),
            (comparison.Unit, comparison.Units, comparison.Helped, comparison.Equal)
        );
    }

    [Fact]
    public void From_one_query_nothing_follows()
    {
        var comparison = PairedTest.Compare(
            Scores("a", (_, _) => 1, 1, 1),
            Scores("b", (_, _) => 0, 1, 1),
            Metric.RougeL
        );
        Assert.Equal((1.0, 1.0, 1.0), (comparison.Difference, comparison.BootstrapP, comparison.SignP));
        Assert.Equal(double.NaN, comparison.Low);
    }

    [Fact]
    public void Equal_methods_differ_in_nothing()
    {
        var comparison = PairedTest.Compare(
            Scores("a", (user, _) => user),
            Scores("b", (user, _) => user),
            Metric.RougeL
        );
        Assert.Equal(
            (0.0, 1.0, 1.0, 20),
            (comparison.Difference, comparison.BootstrapP, comparison.SignP, comparison.Equal)
        );
    }

    [Fact]
    public void A_metric_that_neither_has_is_an_error() =>
        Assert.Throws<InvalidOperationException>(() =>
            PairedTest.Compare(Scores("a", (_, _) => 0), Scores("b", (_, _) => 0), Metric.Meteor)
        );

    [Fact]
    public void Seeds_are_averaged_per_query_and_their_spread_is_told()
    {
        EvaluationReport one = Report(0.2),
            other = Report(0.4);
        var average = SeedAverage.Compute([one, other]);
        var scores = average.Report.ScoresOf("cope");
        Assert.Equal(0.3, scores.Metrics["rouge-l"].Mean, 12);
        Assert.Equal(60, scores.Metrics["rouge-l"].Count);
        // Deviation of .2 and .4 is .1414, over the root of 2.
        Assert.Equal(0.1, average.OverSeeds["cope"]["rouge-l"].StandardError, 12);
        Assert.Equal(2, average.OverSeeds["cope"]["rouge-l"].Count);
        Assert.Throws<ArgumentException>(() => SeedAverage.Compute([one, other with { Task = "another" }]));
    }

    static EvaluationReport Report(double value)
    {
        var scores = Scores("cope", (_, _) => value);
        return new()
        {
            Task = "titles",
            Methods =
            [
                scores with
                {
                    Metrics = new Dictionary<string, MeanWithError> { ["rouge-l"] = new(value, 0, 60) },
                },
            ],
        };
    }

    static MethodScores Scores(string method, Func<int, int, double> value, int users = 20, int queries = 3) =>
        new()
        {
            Method = method,
            Metrics = new Dictionary<string, MeanWithError>(),
            OverUsers = new Dictionary<string, MeanWithError>(),
            Users = [],
            Queries =
            [
                .. Enumerable
                    .Range(0, users)
                    .SelectMany(user =>
                        Enumerable
                            .Range(0, queries)
                            .Select(query => new QueryScores
                            {
                                Id = $"{user}-{query}",
                                UserId = $"{user}",
                                Values = new Dictionary<string, double> { ["rouge-l"] = value(user, query) },
                            })
                    ),
            ],
        };
}
