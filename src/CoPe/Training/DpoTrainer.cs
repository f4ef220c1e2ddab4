using System.Text.Json;
using CoPe.Tokens;

namespace CoPe.Training;

/// <summary>
/// Direct preference optimisation of many users' adapters in one pass over the frozen model. A pair is one row: both answers share the prompt.
/// The reference policy is scored once, before the first step.
/// </summary>
public static class DpoTrainer
{
    /// <summary>Trains <see cref="AdapterTrainingRun{TExample}.Adapters"/> in place by <see cref="DpoLoss"/>.</summary>
    /// <returns>What became of each user.</returns>
    /// <exception cref="ArgumentException">Names, seeds or examples are not one for each adapter, or options contradict each other.</exception>
    /// <exception cref="StaleCheckpointException">The checkpoint found belongs to another training.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the state was saved if there is a store.</exception>
    public static IReadOnlyList<TrainingOutcome> Train(AdapterTrainingRun<PreferenceExample> run, DpoOptions dpo, IProgress<StageProgress>? progress = null, CancellationToken cancellation = default)
    {
        dpo.Validate();
        AdapterRun.RequireOnePerUser(run.Adapters, run.UserNames, run.UserSeeds, run.ExamplesPerUser.Count, run.DevelopmentPerUser?.Count);
        var rows = RowSource.Of(run, run.UserNames, run.ExamplesPerUser, example => TrainingRow.Of(example, run.Options.CutOff), example => example.Id);
        var development = run.DevelopmentPerUser is null ? null
            : RowSource.Of(run, run.UserNames, run.DevelopmentPerUser, example => TrainingRow.Of(example, run.Options.CutOff), example => example.Id);
        var reference = new TrainingAdapters(run.TaskAdapter, dpo.Reference == DpoReference.Sft ? run.Adapters : null);
        return AdapterRun.Train(run.Adapters, weights => new LoopSetup
        {
            Run = run,
            Objective = Objective(run, dpo, reference, rows, cancellation),
            Weights = weights,
            Replicate = () => AdapterRun.Replica(run.Model, run.TaskAdapter, run.Adapters),
            Names = run.UserNames,
            Seeds = AdapterRun.Seeds(run.UserSeeds, run.Options.Seed, run.UserNames),
            Rows = rows,
            DevelopmentRows = development,
            DevelopmentObjective = development is null ? null : Objective(run, dpo, reference, development, cancellation),
            Fingerprint = AdapterRun.Fingerprint(run.Adapters.Config, ("dpo options", TrainingFingerprint.Hash(JsonSerializer.SerializeToUtf8Bytes(dpo)))),
        }, progress, cancellation);
    }

    static DpoObjective Objective(AdapterTrainingRun<PreferenceExample> run, DpoOptions dpo, TrainingAdapters reference, IReadOnlyList<TrainingRow[]> rows, CancellationToken cancellation) =>
        new(dpo, ReferenceScorer.Score(run, reference, rows, cancellation));
}
