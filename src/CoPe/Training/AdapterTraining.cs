using System.Text.Json;
using CoPe.Adapters;
using CoPe.Modeling;

namespace CoPe.Training;

/// <summary>What supervised and preference training of adapters share.</summary>
static class AdapterTraining
{
    /// <summary>Throws unless everything is there once for each adapter.</summary>
    public static void RequireOnePerUser(
        AdapterBank adapters,
        IReadOnlyList<string> names,
        IReadOnlyList<long>? seeds,
        int examples,
        int? development
    )
    {
        var count = adapters.Count;
        if (
            names.Count != count
            || examples != count
            || (seeds?.Count ?? count) != count
            || (development ?? count) != count
        )
        {
            throw new ArgumentException(
                $"There are {count} adapters, {names.Count} names, {seeds?.Count ?? count} seeds, examples of {examples} users and development examples of {development ?? count}; expected one of each for every adapter."
            );
        }

        if (names.Distinct().Count() != count)
        {
            throw new ArgumentException(
                $"User names repeat: {string.Join(", ", names.GroupBy(name => name).Where(group => group.Count() > 1).Select(group => group.Key))}; expected one adapter a user."
            );
        }
    }

    /// <summary>Trains a bank in place.</summary>
    public static IReadOnlyList<TrainingOutcome> Train(
        AdapterBank adapters,
        Func<TrainedWeights, TrainingSetup> setup,
        IProgress<StageProgress>? progress,
        CancellationToken cancellation
    )
    {
        using var weights = new TrainedWeights(adapters.Parameters(), [], adapters.Count);
        using var loop = new TrainingLoop(setup(weights));
        return loop.Run(progress, cancellation);
    }

    /// <summary>A worker's view of a bank that trains above another.</summary>
    public static TrainingReplica CreateReplica(CausalLm model, AdapterBank? task, AdapterBank adapters)
    {
        var leaves = adapters.Alias();
        leaves.RequireGrad(true);
        return new(model, new TrainingAdapters(task, leaves), leaves.Parameters(), leaves.Count, leaves);
    }

    /// <summary>The users' seeds.</summary>
    public static IReadOnlyList<long> SeedsOfUsers(
        IReadOnlyList<long>? given,
        long seed,
        IReadOnlyList<string> names
    ) => given ?? [.. names.Select(name => SeedDerivation.DeriveForUser(seed, name))];

    /// <summary>Hashes of what an adapter training depends on besides its data.</summary>
    public static IReadOnlyDictionary<string, string> ComputeFingerprint(
        LoraConfig config,
        params ReadOnlySpan<(string Name, string Hash)> others
    )
    {
        var parts = new Dictionary<string, string>
        {
            ["adapter shape"] = TrainingFingerprint.Hash(JsonSerializer.SerializeToUtf8Bytes(config)),
        };
        foreach (var (name, hash) in others)
        {
            parts[name] = hash;
        }

        return parts;
    }
}

/// <summary>
/// What rows wear while adapters train: the task's below, frozen, and their user's above. Owns neither.
/// </summary>
/// <param name="Task">Worn by every row; null for none.</param>
/// <param name="Users">One adapter a user; null for rows that wear the task's alone.</param>
sealed record TrainingAdapters(AdapterBank? Task, AdapterBank? Users)
{
    /// <summary>The adapters of a pass's rows, the caller's; null if they wear none.</summary>
    public AdapterRows? SelectRows(IReadOnlyList<PlannedRow> rows) => Stack(OfUsers(rows));

    /// <summary>The same with the inputs of the users' adapters dropped, each row's by a seed of its own.</summary>
    public AdapterRows? SelectRows(IReadOnlyList<PlannedRow> rows, IReadOnlyList<long> rowSeeds) =>
        Stack(OfUsers(rows)?.WithDropout(rowSeeds));

    AdapterRows? OfUsers(IReadOnlyList<PlannedRow> rows) =>
        Users is null ? null : AdapterRows.ForRows(Users, [.. rows.Select(row => row.User)]);

    AdapterRows? Stack(AdapterRows? own)
    {
        if (Task is null)
        {
            return own;
        }

        return own is null ? AdapterRows.All(Task) : AdapterRows.All(Task).With(own);
    }
}
