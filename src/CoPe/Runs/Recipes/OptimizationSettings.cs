using System.ComponentModel.DataAnnotations;

namespace CoPe.Runs.Recipes;

/// <summary>Numbers every training stage has: AdamW with linear warm-up and decay, and how much of a text is read.</summary>
public abstract record OptimizationSettings
{
    /// <summary>Peak learning rate.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>Passes over the examples.</summary>
    [Range(1, int.MaxValue)]
    public int Epochs { get; init; } = 1;

    /// <summary>Examples per optimiser step.</summary>
    [Range(1, int.MaxValue)]
    public int BatchSize { get; init; } = 8;

    /// <summary>Batches whose gradients make one optimiser step.</summary>
    [Range(1, int.MaxValue)]
    public int GradientAccumulation { get; init; } = 1;

    /// <summary>Examples of one optimiser step.</summary>
    internal long ExamplesPerStep => (long)BatchSize * GradientAccumulation;

    /// <summary>Keeps only each layer's input and computes its inside again in the backward pass: far less memory for about a third more time.</summary>
    [SpeedOnly]
    public bool RecomputeLayers { get; init; }

    /// <summary>Most tokens, padding included, that one pass through the model holds; null (<c>auto</c>) chooses from memory. Fewer need less memory.</summary>
    [SpeedOnly, Range(16, int.MaxValue)]
    public int? TokensPerPass { get; init; }

    /// <summary>Share of the steps over which the learning rate rises from 0.</summary>
    [Range(0.0, 1.0)]
    public double WarmupRatio { get; init; } = 0.1;

    /// <summary>Norm to which gradients are clipped; 0 leaves them as they are.</summary>
    [Range(0.0, double.MaxValue)]
    public double MaxGradNorm { get; init; } = 0.3;

    /// <summary>AdamW's decoupled weight decay.</summary>
    [Range(0.0, double.MaxValue)]
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>When to stop before the last epoch.</summary>
    public EarlyStoppingSettings EarlyStopping { get; init; } = new();

    /// <summary>Most tokens of an example, prompt and answer.</summary>
    [Range(8, int.MaxValue)]
    public int CutOff { get; init; } = 2048;

    /// <summary>Most words of each text field.</summary>
    [Range(1, int.MaxValue)]
    public int MaxWords { get; init; } = 768;
}
