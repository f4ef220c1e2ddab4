using System.Text.Json;
using CoPe.Adapters;
using CoPe.Scoring;

namespace CoPe.Training;

/// <summary>
/// What supervised and preference training of adapters share. Owns the prompts that it keeps for itself alone.
/// </summary>
/// <param name="context">Model, options and where results go.</param>
/// <param name="adapters">The adapters trained, in place, one a user.</param>
/// <param name="taskAdapter">Below every user's adapter and left as it is; null for none.</param>
sealed class AdapterTraining(TrainingContext context, AdapterBank adapters, AdapterBank? taskAdapter) : IDisposable
{
    readonly PrefixCache? _ownPrompts = context.Prompts is null ? new(PrefixCache.DefaultMegabytes) : null;

    /// <summary>Where prompts come from that only frozen adapters act on; null where no user has any.</summary>
    public PrefixSource? Prompts =>
        adapters.ActsEverywhere || !context.SharesPrompts || context.Model.Config.Rope.DependsOnLength
            ? null
            : new(context.Prompts ?? _ownPrompts!, context.Model, context.CountWorkers());

    /// <summary>The invocation tokens of the adapters that act on the answer alone.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Invocations =>
        [.. adapters.Invocations, .. taskAdapter?.Invocations ?? []];

    /// <summary>Throws unless there is one training set for each adapter, each of another user.</summary>
    /// <exception cref="ArgumentException">Numbers differ, or a name repeats.</exception>
    public void RequireOneSetPerAdapter<TExample>(IReadOnlyList<UserTrainingSet<TExample>> sets)
    {
        if (sets.Count != adapters.Count)
        {
            throw new ArgumentException(
                $"There are {adapters.Count} adapters and training sets of {sets.Count} users; "
                    + "expected one set for every adapter."
            );
        }
        var repeated = sets.CountBy(set => set.Name).Where(pair => pair.Value > 1).Select(pair => pair.Key).ToList();
        if (repeated.Count > 0)
        {
            throw new ArgumentException(
                $"User names repeat: {string.Join(", ", repeated)}; expected one adapter a user."
            );
        }
    }

    /// <summary>
    /// The users, in the order of the adapters, with the prefixes of their rows where these can be computed before.
    /// </summary>
    public IReadOnlyList<TrainingUser> AddPrefixes(IReadOnlyList<TrainingUser> users)
    {
        return Prompts is null ? users : [.. users.Select(AddToRows)];

        TrainingUser AddToRows(TrainingUser user, int index)
        {
            if (adapters.GetConfig(index).InvocationTokens is not { } tokens)
            {
                return user;
            }

            IReadOnlyList<IReadOnlyList<int>> invocations = [tokens, .. taskAdapter?.Invocations ?? []];
            IReadOnlyList<TrainingRow> Add(IReadOnlyList<TrainingRow> rows) =>
                [
                    .. rows.Select(row =>
                        row with
                        {
                            Prefix = PromptPrefix.Create(row.Prompt, taskAdapter, invocations),
                        }
                    ),
                ];
            return user with { Rows = Add(user.Rows), DevelopmentRows = Add(user.DevelopmentRows) };
        }
    }

    /// <summary>Trains the adapters in place.</summary>
    /// <param name="users">The users, in the order of the adapters.</param>
    /// <param name="objective">What is minimized.</param>
    /// <param name="usesDropout">Whether inputs of the adapters are dropped.</param>
    /// <param name="fingerprint">What a checkpoint depends on besides data, options and adapters, name to hash.</param>
    /// <param name="progress">Receives the progress of each step.</param>
    /// <param name="cancellation">Checked before every step.</param>
    public IReadOnlyList<TrainingOutcome> Train(
        IReadOnlyList<TrainingUser> users,
        ITrainingObjective objective,
        bool usesDropout,
        IReadOnlyDictionary<string, string> fingerprint,
        IProgress<StageProgress>? progress,
        CancellationToken cancellation
    )
    {
        if (adapters.Config.EnsureWeightTying && adapters.Saved is null)
        {
            throw new ArgumentException(
                "The adapters adapt embedding and head as one weight (ensure_weight_tying), which is not trained here; "
                    + "expected adapters of one of the two, or modules_to_save."
            );
        }

        var configHash = TrainingFingerprint.Hash(JsonSerializer.SerializeToUtf8Bytes(adapters.Config));
        using var weights = new TrainedWeights(adapters.Parameters(), [], adapters.Count);
        var setup = new TrainingSetup
        {
            Context = context,
            Objective = objective,
            Weights = weights,
            CreateReplica = CreateReplica,
            Prompts = Prompts,
            UsesDropout = usesDropout,
            Users = users,
            Fingerprint = new Dictionary<string, string>(fingerprint) { ["adapter shape"] = configHash },
        };
        using var loop = new TrainingLoop(setup);
        return loop.Run(progress, cancellation);
    }

    /// <summary>A worker's view of the adapters.</summary>
    public TrainingReplica CreateReplica()
    {
        var leaves = adapters.Alias();
        leaves.RequireGrad(true);
        return new(context.Model, new TrainingAdapters(taskAdapter, leaves), leaves.Parameters(), leaves.Count, leaves);
    }

    public void Dispose() => _ownPrompts?.Dispose();
}

/// <summary>
/// The adapters of rows in training: the task's below, frozen, and their user's on top. Owns neither.
/// </summary>
/// <param name="Task">Used by every row; null for none.</param>
/// <param name="Users">One adapter a user; null for rows that use the task's alone.</param>
sealed record TrainingAdapters(AdapterBank? Task, AdapterBank? Users)
{
    /// <summary>The adapters of a pass's rows, owned by the caller; null if they use none.</summary>
    public AdapterRows? SelectRows(IReadOnlyList<PlannedRow> rows) => StackOnTask(SelectUsers(rows));

    /// <summary>The same with the inputs of the users' adapters dropped, each row's by a seed of its own.</summary>
    public AdapterRows? SelectRows(IReadOnlyList<PlannedRow> rows, IReadOnlyList<long> dropoutSeeds) =>
        StackOnTask(SelectUsers(rows)?.WithDropout(dropoutSeeds));

    AdapterRows? SelectUsers(IReadOnlyList<PlannedRow> rows) =>
        Users is null ? null : AdapterRows.ForRows(Users, [.. rows.Select(row => row.User)]);

    AdapterRows? StackOnTask(AdapterRows? users)
    {
        if (Task is null)
        {
            return users;
        }
        var task = AdapterRows.All(Task);
        return users is null ? task : task.With(users);
    }
}
