namespace CoPe.Training;

/// <summary>How the learning rate falls after its warm-up.</summary>
public enum ScheduleKind
{
    /// <summary>To 0 along a line: <see cref="LinearWarmup"/>.</summary>
    Linear,

    /// <summary>To a tenth along a cosine: <see cref="CosineWarmup"/>.</summary>
    Cosine,
}
