using System.Text.Json;
using CoPe.Kernels.Threads;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// Direct preference optimisation of many users' adapters in one pass over the frozen model. A pair is one row: both
/// answers share the prompt.
/// The reference policy is scored once, before the first step.
/// </summary>
public static class DpoTrainer
{
    /// <summary>
    /// Trains <see cref="AdapterTrainingContext{TExample}.Adapters"/> in place by <see cref="DpoLoss"/>.
    /// </summary>
    /// <returns>What became of each user.</returns>
    /// <exception cref="ArgumentException">
    /// Names, seeds or examples are not one for each adapter, or options contradict each other.
    /// </exception>
    /// <exception cref="StaleCheckpointException">The checkpoint found belongs to another training.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the state was saved if there is a store.</exception>
    public static IReadOnlyList<TrainingOutcome> Train(
        AdapterTrainingContext<PreferenceExample> run,
        DpoOptions dpo,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        dpo.Validate();
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
        var reference = new TrainingAdapters(run.TaskAdapter, dpo.Reference == DpoReference.Sft ? run.Adapters : null);
        return AdapterTraining.Train(
            run.Adapters,
            weights => new TrainingSetup
            {
                Context = run,
                Objective = Objective(run, dpo, reference, rows, cancellation),
                Weights = weights,
                CreateReplica = () => AdapterTraining.CreateReplica(run.Model, run.TaskAdapter, run.Adapters),
                Names = run.UserNames,
                Seeds = AdapterTraining.SeedsOfUsers(run.UserSeeds, run.Options.Seed, run.UserNames),
                Rows = rows,
                DevelopmentRows = development,
                DevelopmentObjective = development is null
                    ? null
                    : Objective(run, dpo, reference, development, cancellation),
                Fingerprint = AdapterTraining.ComputeFingerprint(
                    run.Adapters.Config,
                    ("dpo options", TrainingFingerprint.Hash(JsonSerializer.SerializeToUtf8Bytes(dpo)))
                ),
            },
            progress,
            cancellation
        );
    }

    static DpoObjective Objective(
        AdapterTrainingContext<PreferenceExample> run,
        DpoOptions dpo,
        TrainingAdapters reference,
        IReadOnlyList<TrainingRow[]> rows,
        CancellationToken cancellation
    ) => new(dpo, ReferenceScorer.Score(run, reference, rows, cancellation));
}

/// <summary>Scores the answers of every pair under the reference policy, unless they are known.</summary>
static class ReferenceScorer
{
    /// <summary>Log-probabilities by user and row.</summary>
    public static IReadOnlyList<ReferenceLogProbs[]> Score(
        TrainingContext run,
        TrainingAdapters worn,
        IReadOnlyList<TrainingRow[]> rows,
        CancellationToken cancellation
    )
    {
        var scores = rows.Select(ofUser => ofUser.Select(row => row.Reference ?? default).ToArray()).ToArray();
        var unknown = rows.SelectMany(
                (ofUser, user) => ofUser.Select((row, example) => new PlannedRow(user, example, row, 1, 1))
            )
            .Where(planned => planned.Row.Reference is null);
        var model = run.Model;
        var workers = TorchThreads.CountForPasses(model.Device, model.Weights.Bytes);
        var passes = PassPlanner.Split(unknown, run.Options.TokensPerPass, workers);
        var sums = TorchThreads.Run(
            workers,
            passes.Count,
            (_, pass) =>
            {
                cancellation.ThrowIfCancellationRequested();
                return OutOfMemoryGuard.Run(run, passes[pass], () => Sums(model, worn, passes[pass]));
            }
        );
        foreach (var (pass, ofPass) in passes.Zip(sums))
        {
            for (var i = 0; i < pass.Count; i++)
            {
                scores[pass[i].User][pass[i].Example] = new(ofPass[2 * i], ofPass[2 * i + 1]);
            }
        }

        return scores;
    }

    /// <summary>Log-probabilities of a pass's answers, chosen and rejected in turn.</summary>
    static float[] Sums(CausalLm model, TrainingAdapters worn, IReadOnlyList<PlannedRow> pass)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var batch = new PassBatch(pass, model.Device);
        using var adapters = worn.SelectRows(pass);
        var tokens = -SftLoss.ComputePerToken(LabelLogits.Compute(model, batch, adapters), batch.Labels);
        return SequenceLogProb.Sum(tokens, batch.SequenceOfLabel, batch.Sequences).cpu().data<float>().ToArray();
    }
}
