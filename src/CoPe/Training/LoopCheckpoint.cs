using System.Text.Json;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>Saves and restores a loop's whole state.</summary>
internal sealed class LoopCheckpoint
{
    readonly LoopSetup setup;
    readonly AdamW optimiser;
    readonly UserState[] states;
    readonly Dictionary<string, Tensor> tensors;
    readonly IReadOnlyDictionary<string, string> fingerprint;
    long savedAt;

    public LoopCheckpoint(LoopSetup setup, AdamW optimiser, Tensor lastGood, Tensor? best, UserState[] states)
    {
        this.setup = setup;
        this.optimiser = optimiser;
        this.states = states;
        savedAt = setup.Run.Time.GetTimestamp();
        tensors = new() { ["weights"] = setup.Weights.Values, ["first moment"] = optimiser.FirstMoment, ["second moment"] = optimiser.SecondMoment, ["last good"] = lastGood };
        if (best is not null) tensors.Add("best", best);
        fingerprint = setup.Run.Checkpoints is null ? new Dictionary<string, string>() : TrainingFingerprint.Of(setup);
    }

    /// <summary>Restores the last checkpoint and returns its step; null if there is none.</summary>
    public long? TryRestore()
    {
        if (setup.Run.Checkpoints?.Load() is not { } saved) return null;
        StaleCheckpointException.ThrowIfDifferent(saved.Fingerprint, fingerprint, setup.Run.Stage);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (name, target) in tensors) target.copy_(tensor(saved.Arrays[name], target.shape));
        var restored = JsonSerializer.Deserialize<SavedUser[]>(saved.Users)!;
        for (var user = 0; user < states.Length; user++)
        {
            states[user] = restored[user].State;
            optimiser.StepCounts[user] = restored[user].OptimiserSteps;
        }
        setup.Weights.Publish();
        return saved.Step;
    }

    /// <summary>Saves if the policy asks for it.</summary>
    public void SaveIfDue(long step)
    {
        if (setup.Run.Checkpoints is null) return;
        var policy = setup.Run.CheckpointPolicy;
        var bySteps = policy.EverySteps > 0 && step % policy.EverySteps == 0;
        if (bySteps || setup.Run.Time.GetElapsedTime(savedAt) >= policy.Every) Save(step);
    }

    /// <summary>Saves.</summary>
    public void Save(long step)
    {
        setup.Run.Checkpoints?.Save(new()
        {
            Fingerprint = fingerprint,
            Step = step,
            Users = JsonSerializer.Serialize(states.Select((state, user) => new SavedUser(state, optimiser.StepCounts[user]))),
            Arrays = tensors.ToDictionary(pair => pair.Key, pair => ToArray(pair.Value)),
        });
        savedAt = setup.Run.Time.GetTimestamp();
    }

    static float[] ToArray(Tensor values)
    {
        using var onCpu = values.cpu();
        return onCpu.data<float>().ToArray();
    }

    sealed record SavedUser(UserState State, long OptimiserSteps);
}
