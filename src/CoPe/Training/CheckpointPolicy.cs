namespace CoPe.Training;

/// <summary>When a training saves its state, besides when it is cancelled.</summary>
public sealed record CheckpointPolicy
{
    /// <summary>Every so many steps; 0 goes by time alone.</summary>
    public int EverySteps { get; init => field = OptionCheck.AtLeast(value, 0, "checkpoint steps"); }

    /// <summary>After so much time since the last one.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(60);
}
