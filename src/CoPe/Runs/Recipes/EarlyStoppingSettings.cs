using System.ComponentModel.DataAnnotations;

namespace CoPe.Runs.Recipes;

/// <summary>When an adapter stops learning before its last epoch; off by default, as in the paper.</summary>
public sealed record EarlyStoppingSettings
{
    /// <summary>Examples held out at the end, of each user his latest, at most half of them; the adapter is measured by them, keeps the weights of the lowest loss, and never learns from them. 0 trains on all to the end.</summary>
    [Range(0, int.MaxValue)]
    public int Items { get; init; }

    /// <summary>Measurements without a new lowest loss after which training stops.</summary>
    [Range(1, int.MaxValue)]
    public int Patience { get; init; } = 2;

    /// <summary>Steps between measurements; 0 measures after each epoch.</summary>
    [Range(0, int.MaxValue)]
    public int EverySteps { get; init; }
}
