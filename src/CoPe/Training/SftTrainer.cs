using CoPe.Tokens;

namespace CoPe.Training;

/// <summary>Supervised fine-tuning of adapters: the task's, or those of many users in one pass over the frozen model.</summary>
public static class SftTrainer
{
    /// <summary>Trains <see cref="AdapterTrainingRun{TExample}.Adapters"/> in place by <see cref="SftLoss"/>.</summary>
    /// <returns>What became of each user.</returns>
    /// <exception cref="ArgumentException">Names, seeds or examples are not one for each adapter.</exception>
    /// <exception cref="StaleCheckpointException">The checkpoint found belongs to another training.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the state was saved if there is a store.</exception>
    public static IReadOnlyList<TrainingOutcome> Train(AdapterTrainingRun<SupervisedExample> run, IProgress<StageProgress>? progress = null, CancellationToken cancellation = default)
    {
        AdapterRun.RequireOnePerUser(run.Adapters, run.UserNames, run.UserSeeds, run.ExamplesPerUser.Count, run.DevelopmentPerUser?.Count);
        var rows = RowSource.Of(run, run.UserNames, run.ExamplesPerUser, example => TrainingRow.Of(example, run.Options.CutOff), example => example.Id);
        var development = run.DevelopmentPerUser is null ? null
            : RowSource.Of(run, run.UserNames, run.DevelopmentPerUser, example => TrainingRow.Of(example, run.Options.CutOff), example => example.Id);
        return AdapterRun.Train(run.Adapters, weights => new LoopSetup
        {
            Run = run,
            Objective = new SftObjective(),
            Weights = weights,
            Replicate = () => AdapterRun.Replica(run.Model, run.TaskAdapter, run.Adapters),
            Dropout = run.Adapters.Config.Dropout > 0,
            Names = run.UserNames,
            Seeds = AdapterRun.Seeds(run.UserSeeds, run.Options.Seed, run.UserNames),
            Rows = rows,
            DevelopmentRows = development,
            Fingerprint = AdapterRun.Fingerprint(run.Adapters.Config),
        }, progress, cancellation);
    }
}
