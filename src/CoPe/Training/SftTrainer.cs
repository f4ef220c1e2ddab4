using CoPe.Adapters;

namespace CoPe.Training;

/// <summary>
/// Supervised fine-tuning of adapters: the task's, or those of many users in one pass over the frozen model.
/// </summary>
/// <example>
/// <code>
/// using var adapters = AdapterBank.Create(model.Config, new LoraConfig(), seeds: [42]);
/// var user = new UserTrainingSet&lt;SupervisedExample&gt;("ann", [new("headline 1", prompt, response)]);
/// var context = new TrainingContext { Model = model, Options = TrainingOptions.UserAdapter };
/// var outcomes = SftTrainer.Train(context, adapters, [user], task);
/// output.WriteLine($"{outcomes[0].User}: {outcomes[0].Status}, loss {outcomes[0].LastLoss:F3}");
/// </code>
/// </example>
public static class SftTrainer
{
    /// <summary>Trains adapters in place by <see cref="SftLoss"/>, each on its own user's examples.</summary>
    /// <param name="context">Model, options and where results go.</param>
    /// <param name="adapters">The adapters, one a user; still owned by the caller.</param>
    /// <param name="users">What each adapter is trained on, in the order of the adapters.</param>
    /// <param name="taskAdapter">
    /// Bank of one: below every user's adapter and left as it is; null for none. Not owned.
    /// </param>
    /// <param name="progress">Receives the progress of each step.</param>
    /// <param name="cancellation">Checked before every step.</param>
    /// <returns>What became of each user, in their order.</returns>
    /// <exception cref="ArgumentException">There is not one training set for each adapter.</exception>
    /// <exception cref="StaleCheckpointException">The checkpoint found belongs to another training.</exception>
    /// <exception cref="InsufficientMemoryException">A pass does not fit into memory.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the state was saved if there is a store.</exception>
    public static IReadOnlyList<TrainingOutcome> Train(
        TrainingContext context,
        AdapterBank adapters,
        IReadOnlyList<UserTrainingSet<SupervisedExample>> users,
        AdapterBank? taskAdapter = null,
        IProgress<StageProgress>? progress = null,
        CancellationToken cancellation = default
    )
    {
        using var training = new AdapterTraining(context, adapters, taskAdapter);
        training.RequireOneSetPerAdapter(users);
        return training.Train(
            training.AddPrefixes(TrainingUser.CreateAll(context, users)),
            new SftObjective(),
            usesDropout: adapters.Config.Dropout > 0,
            new Dictionary<string, string>(),
            progress,
            cancellation
        );
    }
}
