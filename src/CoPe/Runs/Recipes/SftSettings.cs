using System.ComponentModel.DataAnnotations;
using CoPe.Adapters;

namespace CoPe.Runs.Recipes;

/// <summary>Stage 2: one adapter per user, trained on his history from the task-adaptive model (OPPU).</summary>
public sealed record SftSettings : OptimizationSettings
{
    /// <summary>The paper's numbers.</summary>
    public SftSettings()
    {
        Epochs = 2;
        BatchSize = 4;
    }

    /// <summary>Shape of each user's adapter.</summary>
    public LoraConfig Lora { get; init; } = new();

    /// <summary>Users trained in one pass; null (<c>auto</c>) chooses from memory. A user's result does not depend on it.</summary>
    [SpeedOnly, Range(1, int.MaxValue)]
    public int? UsersAtOnce { get; init; }
}
