using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CoPe.Json;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>Saves and restores the whole state of a loop.</summary>
sealed class Checkpointer
{
    readonly TrainingSetup _setup;
    readonly AdamW _optimizer;
    readonly UserTrainingState[] _states;
    readonly Dictionary<string, Tensor> _tensors;
    readonly IReadOnlyDictionary<string, string> _fingerprint;
    long _savedAt;

    public Checkpointer(TrainingSetup setup, AdamW optimizer, Tensor kept, Tensor? best, UserTrainingState[] states)
    {
        _setup = setup;
        _optimizer = optimizer;
        _states = states;
        _savedAt = setup.Context.Time.GetTimestamp();
        _tensors = new()
        {
            ["weights"] = setup.Weights.Values,
            ["first moment"] = optimizer.FirstMoment,
            ["second moment"] = optimizer.SecondMoment,
            ["last good"] = kept,
        };
        if (best is not null)
        {
            _tensors.Add("best", best);
        }

        _fingerprint = setup.Context.Checkpoints is null
            ? new Dictionary<string, string>()
            : TrainingFingerprint.Compute(setup);
    }

    /// <summary>Restores the last checkpoint and returns its step; null if there is none.</summary>
    /// <exception cref="InvalidDataException">It does not hold what this training saves.</exception>
    public long? TryRestore()
    {
        if (_setup.Context.Checkpoints?.Load() is not { } saved)
        {
            return null;
        }

        StaleCheckpointException.ThrowIfDifferent(saved.Fingerprint, _fingerprint, _setup.Context.Stage);
        var users = ReadUsers(saved);
        CheckArrays(saved);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, target) in _tensors)
        {
            target.copy_(tensor(saved.Arrays[name], target.shape));
        }

        for (var user = 0; user < _states.Length; user++)
        {
            _states[user] = users[user].State;
            _optimizer.StepCounts[user] = users[user].OptimizerSteps;
        }
        _setup.Weights.CopyToModel();
        return saved.Step;
    }

    SavedUser[] ReadUsers(TrainingCheckpoint saved)
    {
        try
        {
            var users = StrictJson.Deserialize<SavedUser[]>(Encoding.UTF8.GetBytes(saved.Users));
            return users.Length == _states.Length
                ? users
                : throw TrainingCheckpoint.CreateDamagedError(
                    saved.Source,
                    $"holds the states of {users.Length} users; this training has {_states.Length}"
                );
        }
        catch (InvalidJsonException error)
        {
            throw TrainingCheckpoint.CreateDamagedError(saved.Source, $"states of users, {error.Message}", error);
        }
    }

    void CheckArrays(TrainingCheckpoint saved)
    {
        foreach (var (name, target) in _tensors)
        {
            var length = saved.Arrays.GetValueOrDefault(name)?.Length;
            if (length != target.numel())
            {
                throw TrainingCheckpoint.CreateDamagedError(
                    saved.Source,
                    $"array '{name}' has {length ?? 0:N0} numbers; this training has {target.numel():N0}"
                );
            }
        }
    }

    /// <summary>Saves if the policy says so.</summary>
    public void SaveIfDue(long step)
    {
        if (_setup.Context.Checkpoints is null)
        {
            return;
        }

        var policy = _setup.Context.CheckpointPolicy;
        var isDueBySteps = policy.EverySteps > 0 && step % policy.EverySteps == 0;
        var isDueByClock = _setup.Context.Time.GetElapsedTime(_savedAt) >= policy.Every;
        if (isDueBySteps || isDueByClock)
        {
            Save(step);
        }
    }

    /// <summary>Saves the state after so many steps, where there is a store.</summary>
    public void Save(long step)
    {
        _setup.Context.Checkpoints?.Save(
            new()
            {
                Fingerprint = _fingerprint,
                Step = step,
                Users = JsonSerializer.Serialize(
                    _states.Select((state, user) => new SavedUser(state, _optimizer.StepCounts[user]))
                ),
                Arrays = _tensors.ToDictionary(pair => pair.Key, pair => ToArray(pair.Value)),
            }
        );
        _savedAt = _setup.Context.Time.GetTimestamp();
    }

    static float[] ToArray(Tensor values)
    {
        using var onCpu = values.cpu();
        return onCpu.data<float>().ToArray();
    }

    sealed record SavedUser(UserTrainingState State, long OptimizerSteps);
}

/// <summary>Hashes of what a training depends on, so that a checkpoint is never resumed by another one.</summary>
static class TrainingFingerprint
{
    public static IReadOnlyDictionary<string, string> Compute(TrainingSetup setup)
    {
        var parts = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["stage"] = setup.Context.Stage,
            ["options"] = Hash(JsonSerializer.SerializeToUtf8Bytes(WithoutSpeed(setup.Context.Options))),
            ["initial weights"] = HashWeights(setup),
        };
        foreach (var user in setup.Users)
        {
            parts[$"data of {user.Name}"] = HashRows(user.Seed, user.Rows);
            if (user.DevelopmentRows.Count > 0)
            {
                parts[$"development data of {user.Name}"] = HashRows(0, user.DevelopmentRows);
            }
        }
        foreach (var (name, hash) in setup.Fingerprint)
        {
            parts[name] = hash;
        }

        return parts;
    }

    /// <summary>
    /// The options that a result depends on: a training that ran out of memory may resume in smaller passes.
    /// </summary>
    static TrainingOptions WithoutSpeed(TrainingOptions options) =>
        options with
        {
            TokensPerPass = new TrainingOptions().TokensPerPass,
            Workers = null,
            RecomputeLayers = false,
        };

    /// <summary>Hash of bytes, as hexadecimal digits.</summary>
    public static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexString(SHA256.HashData(bytes))[..32];

    static string HashWeights(TrainingSetup setup)
    {
        const long ElementsPerChunk = 1 << 24;
        using var onCpu = setup.Weights.Values.cpu();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var flat = onCpu.reshape(-1);
        for (long from = 0; from < flat.numel(); from += ElementsPerChunk)
        {
            using var slice = flat.narrow(0, from, Math.Min(ElementsPerChunk, flat.numel() - from));
            hash.AppendData(MemoryMarshal.AsBytes(slice.data<float>().ToArray().AsSpan()));
        }

        return Convert.ToHexString(hash.GetHashAndReset())[..32];
    }

    static string HashRows(long seed, IReadOnlyList<TrainingRow> rows)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(seed));
        foreach (var prompt in rows.Select(row => row.Prompt))
        {
            int[] lengths = [prompt.PromptLength, prompt.ResponseLengths.Count, .. prompt.ResponseLengths];
            hash.AppendData(MemoryMarshal.AsBytes<int>([.. lengths, .. prompt.Ids, .. prompt.Labels]));
        }
        return Convert.ToHexString(hash.GetHashAndReset())[..32];
    }
}
