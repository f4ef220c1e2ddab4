using System.ComponentModel.DataAnnotations;
using CoPe.Adapters;

namespace CoPe.Runs.Recipes;

/// <summary>Stage 1: the task-adaptive model, trained on the other users' queries.</summary>
public sealed record TamSettings : OptimizationSettings
{
    /// <summary>The paper's numbers.</summary>
    public TamSettings() => Epochs = 3;

    /// <summary>Shape of the adapter.</summary>
    public LoraConfig Lora { get; init; } = new() { Rank = 16, Alpha = 16, TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj"] };

    /// <summary>Most examples, drawn by the seed; null takes all.</summary>
    [Range(1, int.MaxValue)]
    public int? Examples { get; init; }
}
