using System.Text.Json;
using CoPe.Adapters;
using CoPe.Kernels.Threads;
using CoPe.Modeling;
using CoPe.Scoring;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>
/// Direct preference optimization of many users' adapters in one pass over the frozen model. A pair is one row: both
/// responses share the prompt. The reference policy is scored once, before the first step.
/// </summary>
/// <example>
/// <code>
/// var pair = new PreferenceExample("headline 1", prompt, Chosen: responses[0], Rejected: responses[1]);
/// var user = new UserTrainingSet&lt;PreferenceExample&gt;("ann", [pair]);
/// var context = new TrainingContext { Model = model, Options = TrainingOptions.Dpo };
/// DpoTrainer.Train(context, adapters, [user], new DpoOptions { Beta = 0.1 }, task);
/// </code>
/// </example>
public static class DpoTrainer
{
    /// <summary>Trains adapters in place by <see cref="DpoLoss"/>, each on its own user's pairs.</summary>
    /// <param name="context">Model, options and where results go.</param>
    /// <param name="adapters">The adapters, one a user; still owned by the caller.</param>
    /// <param name="users">What each adapter is trained on, in the order of the adapters.</param>
    /// <param name="dpo">The loss and its reference.</param>
    /// <param name="taskAdapter">
    /// Bank of one: below every user's adapter and left as it is; null for none. Not owned.
    /// </param>
    /// <param name="progress">Receives the progress of each step.</param>
    /// <param name="cancellation">Checked before every step.</param>
    /// <returns>What became of each user, in their order.</returns>
    /// <exception cref="ArgumentException">
    /// There is not one training set for each adapter, or options contradict each other.
    /// </exception>
    /// <exception cref="StaleCheckpointException">The checkpoint found belongs to another training.</exception>
    /// <exception cref="InsufficientMemoryException">A pass does not fit into memory.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the state was saved if there is a store.</exception>
    public static IReadOnlyList<TrainingOutcome> Train(
        TrainingContext context,
        AdapterBank adapters,
        IReadOnlyList<UserTrainingSet<PreferenceExample>> users,
        DpoOptions dpo,
        AdapterBank? taskAdapter = null,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        dpo.Validate();
        using var training = new AdapterTraining(context, adapters, taskAdapter);
        training.RequireOneSetPerAdapter(users);
        var initialAdapters = dpo.Reference == DpoReference.Sft ? adapters : null;
        var reference = new ReferenceScorer(
            context,
            new TrainingAdapters(taskAdapter, initialAdapters),
            training.Prompts
        );
        var trained = training.AddPrefixes(TrainingUser.CreateAll(context, users, training.Invocations));
        return training.Train(
            reference.AddReferences(trained, cancellation),
            new DpoObjective(dpo),
            usesDropout: false,
            new Dictionary<string, string>
            {
                ["dpo options"] = TrainingFingerprint.Hash(JsonSerializer.SerializeToUtf8Bytes(dpo)),
            },
            progress,
            cancellation
        );
    }
}

/// <summary>Scores the responses of pairs under the reference policy, unless they are known.</summary>
/// <param name="context">The training.</param>
/// <param name="adapters">The adapters of the reference policy.</param>
/// <param name="prompts">Where prefixes of rows are taken from; null where no row has one.</param>
sealed class ReferenceScorer(TrainingContext context, TrainingAdapters adapters, PrefixSource? prompts)
{
    /// <summary>The users with reference log-probabilities in every row.</summary>
    public IReadOnlyList<TrainingUser> AddReferences(IReadOnlyList<TrainingUser> users, CancellationToken cancellation)
    {
        var rows = AddReferences([.. users.Select(user => user.Rows)], cancellation);
        var developmentRows = AddReferences([.. users.Select(user => user.DevelopmentRows)], cancellation);
        return
        [
            .. users.Select(
                (user, index) => user with { Rows = rows[index], DevelopmentRows = developmentRows[index] }
            ),
        ];
    }

    /// <summary>The rows of each user with their references.</summary>
    TrainingRow[][] AddReferences(IReadOnlyList<IReadOnlyList<TrainingRow>> rowsOfUsers, CancellationToken cancellation)
    {
        TrainingRow[][] result = [.. rowsOfUsers.Select(rows => rows.ToArray())];
        var unknown = rowsOfUsers
            .SelectMany((rows, user) => rows.Select((row, example) => new PlannedRow(user, example, row, 1, 1)))
            .Where(planned => planned.Row.Reference is null);
        var model = context.Model;
        var workers = TorchThreads.CountForPasses(model.Device, model.Weights.Bytes);
        var passes = TrainingBatch.SplitIntoPasses(unknown, context.Options.TokensPerPass, workers);
        var scores = TorchThreads.Run(
            workers,
            passes.Count,
            (_, pass) =>
            {
                cancellation.ThrowIfCancellationRequested();
                return OutOfMemoryGuard.Run(context, passes[pass], () => Score(model, passes[pass]));
            }
        );
        foreach (var (row, reference) in passes.SelectMany(pass => pass).Zip(scores.SelectMany(pass => pass)))
        {
            result[row.User][row.Example] = row.Row with { Reference = reference };
        }
        return result;
    }

    ReferenceLogProbs[] Score(CausalLm model, IReadOnlyList<PlannedRow> pass)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var batch = new TrainingBatch(pass, model.Device, prompts);
        using var rows = adapters.SelectRows(pass);
        var tokens = batch.Tokens;
        var tokenLogProbs = -batch.ComputeLabelLosses(model, rows); // [labels]
        var sums = SequenceLogProb.Sum(tokenLogProbs, tokens.ResponseOfLabel, tokens.ResponseCount); // [2 * pairs]
        var chosenAndRejected = sums.cpu().data<float>().ToArray().Chunk(2);
        return [.. chosenAndRejected.Select(pair => new ReferenceLogProbs(pair[0], pair[1]))];
    }
}
