namespace CoPe.Training;

/// <summary>
/// Supervised fine-tuning of adapters: the task's, or those of many users in one pass over the frozen model.
/// </summary>
public static class SftTrainer
{
    /// <summary>
    /// Trains <see cref="AdapterTrainingContext{TExample}.Adapters"/> in place by <see cref="SftLoss"/>.
    /// </summary>
    /// <returns>What became of each user.</returns>
    /// <exception cref="ArgumentException">Names, seeds or examples are not one for each adapter.</exception>
    /// <exception cref="StaleCheckpointException">The checkpoint found belongs to another training.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the state was saved if there is a store.</exception>
    public static IReadOnlyList<TrainingOutcome> Train(
        AdapterTrainingContext<SupervisedExample> run,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        AdapterTraining.RequireOnePerUser(
            run.Adapters,
            run.UserNames,
            run.UserSeeds,
            run.ExamplesPerUser.Count,
            run.DevelopmentPerUser?.Count
        );
        var rows = TrainingRowBuilder.CreateRows(
            run,
            run.UserNames,
            run.ExamplesPerUser,
            example => TrainingRow.FromExample(example, run.Options.CutOff),
            example => example.Id
        );
        var development = run.DevelopmentPerUser is null
            ? null
            : TrainingRowBuilder.CreateRows(
                run,
                run.UserNames,
                run.DevelopmentPerUser,
                example => TrainingRow.FromExample(example, run.Options.CutOff),
                example => example.Id
            );
        return AdapterTraining.Train(
            run.Adapters,
            weights => new TrainingSetup
            {
                Context = run,
                Objective = new SftObjective(),
                Weights = weights,
                CreateReplica = () => AdapterTraining.CreateReplica(run.Model, run.TaskAdapter, run.Adapters),
                Dropout = run.Adapters.Config.Dropout > 0,
                Names = run.UserNames,
                Seeds = AdapterTraining.SeedsOfUsers(run.UserSeeds, run.Options.Seed, run.UserNames),
                Rows = rows,
                DevelopmentRows = development,
                Fingerprint = AdapterTraining.ComputeFingerprint(run.Adapters.Config),
            },
            progress,
            cancellation
        );
    }
}
