using CoPe.Experiments.Report;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Stages;
using CoPe.Testing;
using CoPe.Training;

namespace CoPe.Experiments.Tests.Runs.Stages;

public sealed class TrainingConclusionTests : IDisposable
{
    readonly TemporaryFolder _folder = new();
    readonly RecordingLogger _log = new();

    public void Dispose() => _folder.Dispose();

    static TrainingSummary User(string name, double before, double after, bool hasDiverged = false) =>
        new()
        {
            User = name,
            HasDiverged = hasDiverged,
            TokenCount = 1_234_567,
            ExampleCount = 8,
            Loss = new(before, after),
        };

    void Report(params TrainingSummary[] users) =>
        TrainingConclusion.Report(_log, StageId.TrainSft, "sft.learning_rate", 0.1, users);

    [Fact]
    public void A_training_says_in_a_line_how_far_the_loss_fell_for_whom_and_on_how_much()
    {
        Report(User("ann", 3, 2.5), User("bob", 4, 3));

        Assert.Equal("train sft: 2 users, loss 3.500 -> 2.750, 2,469,134 tokens", _log.Texts.Single());
    }

    [Fact]
    public void Users_who_diverged_are_named_with_the_rate_to_lower()
    {
        Report(User("ann", 3, 2.5), User("bob", 4, 4, hasDiverged: true));

        Assert.Equal(
            "train sft: 1 of 2 users diverged and keep the adapter of their lowest loss (bob); "
                + "lower sft.learning_rate (it is 0.1)",
            _log.Warnings.Single()
        );
    }

    [Fact]
    public void Where_all_diverged_there_is_an_error()
    {
        var error = Assert.Throws<RunException>(() =>
            Report(User("ann", 3, 9, hasDiverged: true), User("bob", 4, 4, hasDiverged: true))
        );

        Assert.Equal(
            "train sft: the training of all 2 users diverged; lower sft.learning_rate (it is 0.1) and run it again",
            error.Message
        );
    }

    [Fact]
    public void A_new_user_who_diverged_does_not_stop_a_run_of_others()
    {
        TrainingConclusion.Report(
            _log,
            StageId.TrainSft,
            "sft.learning_rate",
            0.1,
            [User("ann", 3, 3, hasDiverged: true)],
            isEveryone: false
        );

        Assert.StartsWith("train sft: 1 of 1 users diverged", _log.Warnings.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_that_rose_a_little_is_a_warning()
    {
        Report(User("ann", 3, 3.5));

        Assert.Equal(
            "train sft: the loss is higher after training than before; lower sft.learning_rate (it is 0.1)",
            _log.Warnings.Single()
        );
    }

    [Fact]
    public void Preference_training_says_how_far_the_adapters_moved_and_how_many_pairs_were_ranked_right()
    {
        List<TrainingSummary> users =
        [
            User("ann", 0.69, 0.6) with
            {
                Movement = 0.001,
                Accuracy = new(0.5, 0.625),
            },
            User("bob", 0.69, 0.6) with
            {
                Movement = 0.0123,
                Accuracy = new(1, 1),
            },
            User("cleo", 0.69, 0.6) with
            {
                Movement = 0.5,
                Accuracy = new(0.75, 0.5),
            },
        ];

        Assert.Equal(new PreferenceEffect(3, 0.0123, 24, 18, 17), TrainingSummary.ComputeEffect(users));
        Assert.Equal(
            "train dpo: adapters moved 1.2 %, pairs right 18 -> 17 of 24",
            TrainingConclusion.Describe(StageId.TrainDpo, users)
        );
    }

    [Theory]
    [InlineData(-11, -6.5, true)]
    [InlineData(-9, -4, false)]
    [InlineData(-10.05, -4.05, false)] // what rounding can do
    public void Own_texts_that_became_less_likely_are_a_warning(double ofAnn, double ofBob, bool warns)
    {
        var ann = User("ann", 0.69, 0.6) with { Movement = 0.01, Accuracy = new(1, 1) };
        List<TrainingSummary> users =
        [
            ann with
            {
                Chosen = new(-10, ofAnn),
                Rejected = new(-8, -14),
            },
            ann with
            {
                User = "bob",
                ExampleCount = 4,
                Chosen = new(-4, ofBob),
                Rejected = new(-8, -8),
            },
        ];

        TrainingConclusion.Report(_log, StageId.TrainDpo, "dpo.learning_rate", 0.002, users);

        var effect = TrainingSummary.ComputeEffect(users)!;
        Assert.Equal(-8, effect.Chosen!.Value.Before, 12); // (8 x -10 + 4 x -4) / 12, by pairs
        Assert.Equal(((8 * ofAnn) + (4 * ofBob)) / 12, effect.Chosen!.Value.After, 12);
        Assert.Equal(-12, effect.Rejected!.Value.After, 12);
        Assert.Equal(warns, effect.IsDisplaced);
        Assert.Equal(
            warns ? 1 : 0,
            _log.Warnings.Count(text => text.Contains("dpo.rpo_alpha", StringComparison.Ordinal))
        );
    }

    [Fact]
    public void The_line_of_a_large_run_fits_into_eighty_columns()
    {
        var user = User("ann", 12.345, 11.111) with { TokenCount = 123_456_789 };
        TrainingSummary[] users = [.. Enumerable.Repeat(user, 1000)];
        TrainingSummary[] moved =
        [
            .. users.Select(one => one with { Movement = 0.000_012, Accuracy = new(0.875, 0.9) }),
        ];

        Assert.All(
            (string[])
                [
                    TrainingConclusion.Describe(StageId.TrainSft, users)!,
                    TrainingConclusion.Describe(StageId.TrainDpo, moved)!,
                ],
            line => Assert.True(("cope: " + line).Length <= 80, line)
        );
    }

    [Fact]
    public void A_summary_is_read_from_the_metrics_as_it_was_written()
    {
        var run = new RunDirectory(_folder.Path);
        var outcome = new TrainingOutcome
        {
            User = "ann",
            Status = TrainingStatus.Diverged,
            Steps = 12,
            Tokens = 300,
            ExamplesMeasured = 8,
            FiguresBefore = new Dictionary<string, double>
            {
                ["loss"] = 3,
                ["rewards/accuracies"] = 0.5,
                ["logps/chosen"] = -9,
            },
            FiguresAfter = new Dictionary<string, double>
            {
                ["loss"] = 2,
                ["rewards/accuracies"] = 0.75,
                ["logps/chosen"] = -8,
            },
        };
        var row = TrainingSummary.CreateRow(StageId.TrainDpo, outcome, movement: 0.01)!;
        JsonLines.Append(run.Metrics(StageId.TrainDpo), [row with { Step = 3 }, row]);

        Assert.Equal(
            [
                new TrainingSummary
                {
                    User = "ann",
                    HasDiverged = true,
                    TokenCount = 300,
                    ExampleCount = 8,
                    Loss = new(3, 2),
                    Accuracy = new(0.5, 0.75),
                    Chosen = new(-9, -8),
                    Movement = 0.01,
                },
            ],
            TrainingSummary.Read(run, StageId.TrainDpo)
        );
    }

    [Fact]
    public void Users_with_a_single_step_are_named()
    {
        var options = new TrainingOptions { BatchSize = 8, Epochs = 1 };
        var examples = new Dictionary<string, int> { ["ann"] = 8, ["bob"] = 9 };

        TrainingConclusion.ReportSingleSteps(_log, StageId.TrainDpo, options, examples);
        TrainingConclusion.ReportSingleSteps(_log, StageId.TrainDpo, options with { WarmupRatio = 0 }, examples);

        Assert.Equal(
            "train dpo: a single step has no warm-up, in which its rate would be 0: 1 of 2 users (ann)",
            _log.Texts.Single()
        );
    }
}
