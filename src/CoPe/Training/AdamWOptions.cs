namespace CoPe.Training;

/// <summary>Constants of <see cref="AdamW"/>; defaults are the reference's.</summary>
public sealed record AdamWOptions
{
    /// <summary>Decay of the first moment.</summary>
    public double Beta1 { get; init => field = OptionCheck.Within(value, 0, 0.999999, "Adam beta1"); } = 0.9;

    /// <summary>Decay of the second moment.</summary>
    public double Beta2 { get; init => field = OptionCheck.Within(value, 0, 0.999999, "Adam beta2"); } = 0.999;

    /// <summary>Added to the root of the second moment.</summary>
    public double Epsilon { get; init => field = OptionCheck.Positive(value, "Adam epsilon"); } = 1e-8;

    /// <summary>Decoupled weight decay.</summary>
    public double WeightDecay { get; init => field = OptionCheck.AtLeast(value, 0, "weight decay"); } = 0.01;
}
