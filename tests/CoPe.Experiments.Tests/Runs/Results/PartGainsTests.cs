using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs.Results;

namespace CoPe.Experiments.Tests.Runs.Results;

public class PartGainsTests
{
    static readonly int[] QueriesOfUsers = [1, 2, 3];

    /// <summary>A method with a value for each query of three users, who have one, two and three.</summary>
    static MethodScores Scores(string method, double[] rougeL, double[]? nll = null)
    {
        List<QueryScores> queries =
        [
            .. QueriesOfUsers
                .SelectMany((count, user) => Enumerable.Repeat($"user {user}", count))
                .Select(
                    (user, index) =>
                        new QueryScores
                        {
                            Id = $"{index}",
                            UserId = user,
                            Values = Values(rougeL[index], nll?[index]),
                        }
                ),
        ];
        List<UserScores> users =
        [
            .. queries
                .GroupBy(query => query.UserId!)
                .Select(user => new UserScores
                {
                    UserId = user.Key,
                    Queries = user.Count(),
                    HistoryItems = 3,
                    Values = Values(
                        user.Average(query => query.Values["rouge-l"]),
                        nll is null ? null : user.Average(query => query.Values["gold-nll"])
                    ),
                }),
        ];
        return new()
        {
            Method = method,
            Queries = queries,
            Users = users,
            Metrics = ScoreAggregate.Means([.. queries.Select(query => query.Values)]),
            OverUsers = ScoreAggregate.Means([.. users.Select(user => user.Values)]),
        };
    }

    static Dictionary<string, double> Values(double rougeL, double? nll)
    {
        var values = new Dictionary<string, double> { ["rouge-l"] = rougeL };
        if (nll is { } measured)
        {
            values["gold-nll"] = measured;
        }

        return values;
    }

    static PartGains Compute(params MethodScores[] methods) =>
        PartGains.Compute(new() { Task = "task", Methods = methods }, Metric.RougeL);

    [Fact]
    public void The_distance_is_how_much_likelier_a_token_of_the_users_own_texts_is_with_their_adapter()
    {
        var gains = Compute(
            Scores("tam", [0, 0, 0, 0, 0, 0], [2, 1, 1, 1, 1, 1.5]),
            Scores("sft", [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1])
        );
        Assert.Equal(1.5 / 6, gains.Distance!.Value, 12);
        Assert.Empty(gains.OverSft);
    }

    [Fact]
    public void Contrast_and_preference_training_are_tested_against_SFT_by_user_in_the_order_of_the_table()
    {
        var gains = Compute(
            Scores("base", [1, 1, 1, 1, 1, 1]),
            Scores("cope", [.5, .3, .3, .2, .2, .2]),
            Scores("sft", [.2, .2, .2, .2, .2, .2]),
            Scores("sft+cd", [.1, .2, .2, .3, .3, .3])
        );
        Assert.Null(gains.Distance);
        Assert.Equal(["sft+cd", "cope"], gains.OverSft.Select(test => test.Method));
        Assert.All(gains.OverSft, test => Assert.Equal(("sft", 3), (test.Baseline, test.Units)));
        Assert.Equal((.3 - .1) / 6, gains.OverSft[0].Difference, 12);
        Assert.Equal((1, 1, 1), (gains.OverSft[0].Helped, gains.OverSft[0].Hurt, gains.OverSft[0].Equal));
        Assert.Equal((2, 0, 1), (gains.OverSft[1].Helped, gains.OverSft[1].Hurt, gains.OverSft[1].Equal));
    }

    [Fact]
    public void Without_SFT_there_is_nothing_to_gain_over()
    {
        var gains = Compute(Scores("tam", [0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]), Scores("cope", [1, 1, 1, 1, 1, 1]));
        Assert.Null(gains.Distance);
        Assert.Empty(gains.OverSft);
    }
}
