using System.ComponentModel.DataAnnotations;
using CoPe.Training;

namespace CoPe.Runs.Recipes;

/// <summary>Stage 4: preference training of each user's SFT adapter.</summary>
public sealed record DpoSettings : OptimizationSettings
{
    /// <summary>The paper's numbers.</summary>
    public DpoSettings() => LearningRate = 5e-6;

    /// <summary>Strength with which the policy is held to the reference.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double Beta { get; init; } = 0.01;

    /// <summary>Loss.</summary>
    public DpoLossKind Loss { get; init; } = DpoLossKind.Sigmoid;

    /// <summary>Probability that a pair's labels are taken as swapped.</summary>
    [Range(0.0, 0.5, MaximumIsExclusive = true)]
    public double LabelSmoothing { get; init; }

    /// <summary>Reference policy.</summary>
    public DpoReference Reference { get; init; } = DpoReference.Tam;

    /// <summary>Weight of the supervised loss on the chosen answer, added to the preference loss; null adds none.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double? RpoAlpha { get; init; }

    /// <summary>Users trained in one pass; null (<c>auto</c>) chooses from memory. A user's result does not depend on it.</summary>
    [SpeedOnly, Range(1, int.MaxValue)]
    public int? UsersAtOnce { get; init; }
}
