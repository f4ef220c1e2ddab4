using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Evaluation;

public class EvaluatorTests
{
    static readonly LampTask Titles = new()
    {
        Name = "titles",
        BenchmarkId = "LaMP_5",
        InputFields = ["abstract"],
        OutputField = "title",
    };

    [Fact]
    public void A_method_has_means_over_queries_and_over_users()
    {
        // Unigram F: ann 1 and 0, bob 1/2 ("a b" against "a c"). Queries: (1 + 0 + .5) / 3; users: (.5 + .5) / 2.
        var report = Score(
            Titles,
            GoldAnswer.FromUsers(Titles, Users()),
            Predictions(("1", "red sky"), ("2", "none"), ("3", "a b"))
        );
        var scores = report.ScoresOf("cope");
        Assert.Equal(0.5, scores.Metrics["rouge-1"].Mean, 12);
        Assert.Equal(3, scores.Metrics["rouge-1"].Count);
        Assert.Equal(Math.Sqrt(0.5 / 2 / 3), scores.Metrics["rouge-1"].StandardError, 12);
        Assert.Equal(0.5, scores.OverUsers["rouge-1"].Mean, 12);
        Assert.Equal(2, scores.OverUsers["rouge-1"].Count);
        Assert.Equal(0, scores.OverUsers["rouge-1"].StandardError, 12);
        Assert.Equal(["ann", "bob"], scores.Users.Select(user => user.UserId));
        Assert.Equal(2, scores.Users[0].Queries);
    }

    [Fact]
    public void Texts_that_ROUGE_does_not_see_are_named_and_another_tokenizer_sees_them()
    {
        GoldAnswer[] golds =
        [
            new()
            {
                Id = "1",
                UserId = "ann",
                Text = "Быстрая лиса",
            },
        ];
        var predictions = Predictions(("1", "быстрая собака"));
        var report = Evaluator.Evaluate(Titles, golds, predictions);
        Assert.Contains("1 of 1 texts of the users", Assert.Single(report.Warnings), StringComparison.Ordinal);
        Assert.Equal(0, report.ScoresOf("cope").Metrics["rouge-1"].Mean);

        var options = new EvaluationOptions { Tokenizer = WordTokenizerKind.Unicode };
        var seen = Evaluator.Evaluate(Titles, golds, predictions, options);
        Assert.Empty(seen.Warnings);
        Assert.Equal(0.5, seen.ScoresOf("cope").Metrics["rouge-1"].Mean, 12);
    }

    [Fact]
    public void Methods_stand_in_the_order_in_which_they_were_given()
    {
        var answers = Predictions(("1", "a"), ("2", "b"), ("3", "c"))["cope"];
        var files = new OrderedDictionary<string, PredictionFile>
        {
            ["zeta"] = answers,
            ["cope"] = answers,
            ["base"] = answers,
        };
        Assert.Equal(
            ["zeta", "cope", "base"],
            Score(Titles, GoldAnswer.FromUsers(Titles, Users()), files).Methods.Select(scores => scores.Method)
        );
    }

    [Fact]
    public void Ids_that_do_not_match_stop_with_an_error_that_lists_them()
    {
        var error = Assert.Throws<InvalidDataException>(() =>
            Score(Titles, GoldAnswer.FromUsers(Titles, Users()), Predictions(("1", "a"), ("9", "b")))
        );
        Assert.Contains("2 golds (2, 3) without a prediction", error.Message, StringComparison.Ordinal);
        Assert.Contains("1 prediction (9) without a gold", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_that_do_not_match_are_reported_where_that_is_asked_for()
    {
        var report = Score(
            Titles,
            GoldAnswer.FromUsers(Titles, Users()),
            Predictions(("1", "red sky"), ("9", "b")),
            new() { Mismatch = IdMismatch.Report }
        );
        var scores = report.ScoresOf("cope");
        Assert.Equal(["2", "3"], scores.MissingIds);
        Assert.Equal(["9"], scores.UnknownIds);
        Assert.Equal(2, report.Warnings.Count);
        Assert.Equal(1, scores.Metrics["rouge-1"].Count);
    }

    [Fact]
    public void No_matching_id_is_an_error_in_any_case() =>
        Assert.Throws<InvalidDataException>(() =>
            Score(
                Titles,
                GoldAnswer.FromUsers(Titles, Users()),
                Predictions(("9", "b")),
                new() { Mismatch = IdMismatch.Report }
            )
        );

    [Fact]
    public void An_id_of_two_users_is_an_error()
    {
        var users = Users();
        Assert.Throws<InvalidDataException>(() =>
            Score(
                Titles,
                [.. GoldAnswer.FromUsers(Titles, users), .. GoldAnswer.FromUsers(Titles, users)],
                Predictions(("1", "a"))
            )
        );
    }

    [Fact]
    public void Empty_emoji_and_right_to_left_predictions_score_finite_values()
    {
        var scores = Score(
                Titles,
                GoldAnswer.FromUsers(Titles, Users()),
                Predictions(("1", ""), ("2", "🎉🎉 👩‍👩‍👧"), ("3", "שלום עולם"))
            )
            .ScoresOf("cope");
        Assert.All(
            scores.Queries.SelectMany(query => query.Values),
            value => Assert.True(double.IsFinite(value.Value), value.Key)
        );
        Assert.Equal(0, scores.Metrics["rouge-l"].Mean);
    }

    [Fact]
    public void A_label_file_alone_gives_no_users()
    {
        var labels = new PredictionFile { Task = "LaMP_5", Predictions = [new("1", "red sky")] };
        var scores = Score(Titles, GoldAnswer.FromLabels(labels), Predictions(("1", "red sky"))).ScoresOf("cope");
        Assert.Empty(scores.Users);
        Assert.Empty(scores.OverUsers);
        Assert.Equal(new MeanWithError(1, 0, 1), scores.Metrics["rouge-l"]);
        Assert.False(scores.Metrics.ContainsKey("copy-rate"));
    }

    [Fact]
    public void A_category_task_has_accuracy_and_macro_f1()
    {
        var report = Evaluate(TaskOutcome.Category, ["a", "a", "b", "b"], ["a ", "b", "b", "neither"]);
        // a: 1 right, 1 missed, F1 2/3. b: 1 right, 1 wrong, 1 missed, F1 1/2.
        Assert.Equal(0.5, report.ScoresOf("cope").Metrics["accuracy"].Mean, 12);
        Assert.Equal((2.0 / 3 + 1.0 / 2) / 2, report.ScoresOf("cope").Metrics["macro-f1"].Mean, 12);
        Assert.Contains("1 answer (3)", Assert.Single(report.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Macro_f1_counts_every_label_of_the_task_and_what_else_the_golds_have()
    {
        var task = LampTasks.NewsCategorize;
        GoldAnswer[] golds =
        [
            new() { Id = "1", Text = "sports" },
            new() { Id = "2", Text = "crime" },
            new() { Id = "3", Text = "other" },
        ];
        var file = new PredictionFile
        {
            Task = task.BenchmarkId,
            Predictions = [new("1", "sports"), new("2", "sports"), new("3", "other")],
        };

        var report = Evaluator.Evaluate(task, golds, new OrderedDictionary<string, PredictionFile> { ["sft"] = file });

        // sports 2/3, other 1, and 14 more labels of the task without a right answer.
        Assert.Equal((2.0 / 3 + 1) / 16, report.ScoresOf("sft").Metrics["macro-f1"].Mean, 12);
    }

    [Fact]
    public void A_rating_task_has_mae_and_rmse_and_counts_words_as_the_far_end()
    {
        var report = Evaluate(TaskOutcome.Rating, ["5", "1", "4"], ["4", "1.0", "very good"]);
        // Errors 1, 0 and |1 - 4| = 3.
        Assert.Equal(4.0 / 3, report.ScoresOf("cope").Metrics["mae"].Mean, 12);
        Assert.Equal(Math.Sqrt(10.0 / 3), report.ScoresOf("cope").Metrics["rmse"].Mean, 12);
        Assert.Contains("(2)", Assert.Single(report.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_gold_that_is_no_rating_is_an_error() =>
        Assert.Contains(
            "(1)",
            Assert.Throws<InvalidDataException>(() => Evaluate(TaskOutcome.Rating, ["5", "good"], ["4", "4"])).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void The_bootstrap_median_is_near_the_mean_and_the_same_for_a_seed()
    {
        var golds = Enumerable.Range(0, 60).Select(i => new GoldAnswer { Id = $"{i}", Text = "a b c d" }).ToList();
        var files = new OrderedDictionary<string, PredictionFile>
        {
            ["cope"] = new()
            {
                Task = "LaMP_5",
                Predictions =
                [
                    .. golds.Select(
                        (gold, i) =>
                            new Prediction(
                                gold.Id,
                                (i % 7) switch
                                {
                                    0 => "a b c d",
                                    1 => "a",
                                    2 => "a b x y z",
                                    _ => "b q r",
                                }
                            )
                    ),
                ],
            },
        };
        var options = new EvaluationOptions { Average = AverageKind.BootstrapMedian };
        var median = Score(Titles, golds, files, options).ScoresOf("cope").Metrics["rouge-1"].Mean;
        Assert.Equal(median, Score(Titles, golds, files, options).ScoresOf("cope").Metrics["rouge-1"].Mean);
        Assert.InRange(
            Math.Abs(median - Score(Titles, golds, files).ScoresOf("cope").Metrics["rouge-1"].Mean),
            1e-12,
            0.02
        );
    }

    static EvaluationReport Score(
        LampTask task,
        IReadOnlyList<GoldAnswer> golds,
        OrderedDictionary<string, PredictionFile> files,
        EvaluationOptions? options = null
    ) => Evaluator.Evaluate(task, golds, files, options, TestContext.Current.CancellationToken);

    static EvaluationReport Evaluate(TaskOutcome outcome, string[] golds, string[] answers)
    {
        var task = Titles with { Outcome = outcome };
        var labels = new PredictionFile
        {
            Task = "LaMP_5",
            Predictions = [.. golds.Select((gold, i) => new Prediction($"{i}", gold))],
        };
        return Score(
            task,
            GoldAnswer.FromLabels(labels),
            Predictions([.. answers.Select((answer, i) => ($"{i}", answer))])
        );
    }

    static OrderedDictionary<string, PredictionFile> Predictions(params (string Id, string Output)[] answers) =>
        new()
        {
            ["cope"] = new()
            {
                Task = "LaMP_5",
                Predictions = [.. answers.Select(answer => new Prediction(answer.Id, answer.Output))],
            },
        };

    static LampUser[] Users() =>
        [
            new()
            {
                Id = "ann",
                History =
                [
                    new()
                    {
                        Id = "h1",
                        Fields = new Dictionary<string, string> { ["title"] = "The red house" },
                    },
                ],
                Queries =
                [
                    new()
                    {
                        Id = "1",
                        Input = "q",
                        Gold = "red sky",
                    },
                    new()
                    {
                        Id = "2",
                        Input = "q",
                        Gold = "blue sea",
                    },
                ],
            },
            new()
            {
                Id = "bob",
                History = [],
                Queries =
                [
                    new()
                    {
                        Id = "3",
                        Input = "q",
                        Gold = "a c",
                    },
                ],
            },
        ];
}
