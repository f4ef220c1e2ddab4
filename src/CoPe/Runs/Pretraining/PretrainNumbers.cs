using System.ComponentModel.DataAnnotations;
using CoPe.Training;

namespace CoPe.Runs.Pretraining;

/// <summary>Numbers of a pre-training.</summary>
public sealed record PretrainNumbers
{
    /// <summary>Peak learning rate.</summary>
    [Range(0, double.MaxValue, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 2e-3;

    /// <summary>Passes over the text.</summary>
    [Range(1, int.MaxValue)]
    public int Epochs { get; init; } = 1;

    /// <summary>Windows and conversations of a step.</summary>
    [Range(1, int.MaxValue)]
    public int BatchSize { get; init; } = 16;

    /// <summary>Tokens of a window of the documents.</summary>
    [Range(16, int.MaxValue)]
    public int Window { get; init; } = 256;

    /// <summary>Draws a new order of windows and requests for each pass over the text; off takes the corpus in its own order, the documents first.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Share of the steps over which the learning rate rises.</summary>
    [Range(0.0, 1.0)]
    public double WarmupRatio { get; init; } = 0.03;

    /// <summary>Steps between two measurements of the held-out loss; the weights of the lowest are kept.</summary>
    [Range(1, int.MaxValue)]
    public int MeasureEvery { get; init; } = 500;

    /// <summary>Most tokens, padding included, that one pass through the model holds; fewer need less memory.</summary>
    [Range(16, int.MaxValue)]
    public int TokensPerPass { get; init; } = 2048;

    /// <summary>Computes in bf16 over float32 weights; off computes in float32.</summary>
    public bool Bf16 { get; init; } = true;

    /// <summary>The trainer's options.</summary>
    public TrainingOptions Options(long seed, int context) => Pretrainer.Defaults with
    {
        LearningRate = LearningRate,
        Epochs = Epochs,
        BatchSize = BatchSize,
        WarmupRatio = WarmupRatio,
        Shuffle = Shuffle,
        Seed = seed,
        CutOff = context,
        MaxTokensPerPass = TokensPerPass,
        EarlyStopping = new() { EverySteps = MeasureEvery, Patience = int.MaxValue },
    };
}
