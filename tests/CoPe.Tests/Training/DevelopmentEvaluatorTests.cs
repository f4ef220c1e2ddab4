using CoPe.Training;

namespace CoPe.Tests.Training;

[Collection("torch")]
public class DevelopmentEvaluatorTests
{
    [Fact]
    public void A_user_whose_development_loss_rises_stops_and_keeps_their_best_adapter()
    {
        using var model = TinyTraining.Model();
        using var adapters = TinyTraining.Adapters(0, 0);
        var rows = new List<StepMetrics>();
        var best = TinyTraining.Values(adapters);
        var lowest = double.PositiveInfinity;
        var outcome = SftTrainer.Train(
            new TrainingContext
            {
                Model = model,
                Options = TinyTraining.Options with
                {
                    LearningRate = 0.05,
                    Epochs = 60,
                    EarlyStopping = new() { Patience = 2, EverySteps = 1 },
                },
                Metrics = row =>
                {
                    if (!row.Figures.TryGetValue("development loss", out var loss))
                    {
                        return;
                    }

                    rows.Add(row);
                    if (loss < lowest)
                    {
                        (lowest, best) = (loss, TinyTraining.Values(adapters));
                    }
                },
            },
            adapters,
            [new("ann", TinyTraining.History(1, 4)) { Development = TinyTraining.History(8, 4) }]
        )[0];
        Assert.Equal(TrainingStatus.StoppedEarly, outcome.Status);
        Assert.True(outcome.Steps < 120);
        Assert.Equal(lowest, outcome.BestDevelopmentLoss);
        Assert.Equal(best, TinyTraining.Values(adapters));
        Assert.Equal(0, rows[0].Step);
    }

    [Fact]
    public void Without_early_stopping_the_development_loss_is_reported_each_epoch_and_training_continues()
    {
        using var model = TinyTraining.Model();
        using var adapters = TinyTraining.Adapters(0, 0);
        var measured = new List<long>();
        var outcome = DpoTrainer.Train(
            new TrainingContext
            {
                Model = model,
                Options = TinyTraining.Options,
                Metrics = row =>
                {
                    if (row.Figures.ContainsKey("development loss"))
                    {
                        measured.Add(row.Step);
                    }
                },
            },
            adapters,
            [new("ann", TinyTraining.Pairs(1, 4)) { Development = TinyTraining.Pairs(8, 3) }],
            new()
        )[0];
        Assert.Equal(TrainingStatus.Finished, outcome.Status);
        Assert.Equal([0L, 2L, 4L], measured);
    }
}
