using System.ComponentModel.DataAnnotations;

namespace CoPe.Training;

/// <summary>
/// How weights are trained, whatever the loss; defaults are those of a user's adapter in the reference.
/// </summary>
public sealed record TrainingOptions
{
    /// <summary>The reference's numbers for the task-adaptive model.</summary>
    public static TrainingOptions TaskAdaptiveModel { get; } = new() { Epochs = 3, BatchSize = 8 };

    /// <summary>The reference's numbers for a user's supervised adapter.</summary>
    public static TrainingOptions UserAdapter { get; } = new();

    /// <summary>The reference's numbers for preference optimization.</summary>
    public static TrainingOptions Dpo { get; } =
        new()
        {
            LearningRate = 5e-6,
            Epochs = 1,
            BatchSize = 8,
        };

    /// <summary>Peak learning rate, at most 1: AdamW moves a weight by about the rate a step.</summary>
    [Range(0.0, 1.0, MinimumIsExclusive = true)]
    public double LearningRate
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingOptions), value);
    } = 1e-4;

    /// <summary>Passes over the examples.</summary>
    [Range(1, int.MaxValue)]
    public int Epochs
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingOptions), value);
    } = 2;

    /// <summary>
    /// Ends training, and the schedule, after so many steps instead of whole epochs; null takes the epochs.
    /// </summary>
    [CodeOnly, Range(1, int.MaxValue)]
    public int? MaxSteps
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingOptions), value);
    }

    /// <summary>Examples of a batch.</summary>
    [Range(1, int.MaxValue)]
    public int BatchSize
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingOptions), value);
    } = 4;

    /// <summary>
    /// Batches of an optimizer step: their gradients add up to that of one batch of all their examples.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int GradientAccumulation
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingOptions), value);
    } = 1;

    /// <summary>
    /// Keeps only each layer's input for the backward pass and computes its inside again: far less memory, about a
    /// third more time, the same gradients.
    /// </summary>
    [SpeedOnly]
    public bool RecomputeLayers { get; init; }

    /// <summary>
    /// Most tokens, padding included, that one pass through the model holds; a step of more is split. Lower it when
    /// memory runs out.
    /// </summary>
    [SpeedOnly, Range(16, int.MaxValue)]
    public int TokensPerPass
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingOptions), value);
    } = 2048;

    /// <summary>
    /// Passes that run in parallel, each on one core; null takes as many as torch has threads for a small model and one
    /// for a large. Each holds up to <see cref="TokensPerPass"/> tokens.
    /// </summary>
    [CodeOnly, SpeedOnly, Range(1, int.MaxValue)]
    public int? Workers
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingOptions), value);
    }

    /// <summary>Share of the steps over which the learning rate rises from 0.</summary>
    [Range(0.0, 1.0)]
    public double WarmupRatio
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingOptions), value);
    } = 0.1;

    /// <summary>How the learning rate falls.</summary>
    [CodeOnly]
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Linear;

    /// <summary>Norm to which gradients are clipped; 0 leaves them as they are.</summary>
    [Range(0.0, double.MaxValue)]
    public double MaxGradNorm
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingOptions), value);
    } = 0.3;

    /// <summary>The optimizer's constants.</summary>
    [CodeOnly]
    public AdamWOptions Optimizer { get; init; } = new();

    /// <summary>AdamW's decoupled weight decay.</summary>
    [Range(0.0, 1.0)]
    public double WeightDecay
    {
        get => Optimizer.WeightDecay;
        init => Optimizer = Optimizer with { WeightDecay = OptionGuard.Check(typeof(TrainingOptions), value) };
    }

    /// <summary>When to stop before the last epoch, by the development examples; null trains to the end.</summary>
    public EarlyStopping? EarlyStopping { get; init; }

    /// <summary>Most tokens of an example, prompt and answer; the rest is cut off on the right.</summary>
    [Range(8, int.MaxValue)]
    public int CutOff
    {
        get;
        init => field = OptionGuard.Check(typeof(TrainingOptions), value);
    } = 2048;

    /// <summary>
    /// Whether each epoch has an order of its own, drawn from the user's seed; otherwise the order given.
    /// </summary>
    [CodeOnly]
    public bool Shuffle { get; init; } = true;

    /// <summary>Seed of data order and dropout; a user's own is derived from it and the user's name.</summary>
    [CodeOnly]
    public long Seed { get; init; }

    /// <summary>Examples of a step of a training of so many.</summary>
    public int ExamplesPerStep(int examples) =>
        (int)Math.Min((long)BatchSize * GradientAccumulation, Math.Max(1, examples));

    /// <summary>Steps of an epoch of so many examples; the last one may be smaller.</summary>
    public long StepsPerEpoch(int examples) =>
        (examples + (long)BatchSize * GradientAccumulation - 1) / ((long)BatchSize * GradientAccumulation);

    /// <summary>Steps in all for so many examples.</summary>
    public long Steps(int examples) => examples == 0 ? 0 : MaxSteps ?? StepsPerEpoch(examples) * Epochs;

    /// <summary>Learning rate of a step, counted from 0, of a training of <paramref name="steps"/>.</summary>
    public double Rate(long step, long steps)
    {
        var warmup = LinearWarmup.WarmupSteps(WarmupRatio, steps);
        return Schedule == LearningRateSchedule.Linear
            ? LinearWarmup.Rate(LearningRate, step, warmup, steps)
            : CosineWarmup.Rate(LearningRate, step, warmup, steps);
    }
}

/// <summary>
/// When an adapter stops learning before its last epoch, keeping the weights of the lowest development loss; off by
/// default, as in the paper.
/// </summary>
public sealed record EarlyStopping
{
    /// <summary>
    /// Examples held out at the end, of each user the latest, at most half of them: the adapter is measured on them,
    /// keeps the weights of the lowest loss, and never learns from them. 0 trains on all to the end.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int Items
    {
        get;
        init => field = OptionGuard.Check(typeof(EarlyStopping), value);
    }

    /// <summary>Evaluations without a new lowest loss after which training stops.</summary>
    [Range(1, int.MaxValue)]
    public int Patience
    {
        get;
        init => field = OptionGuard.Check(typeof(EarlyStopping), value);
    } = 2;

    /// <summary>Steps between evaluations; 0 evaluates after each epoch.</summary>
    [Range(0, int.MaxValue)]
    public int EverySteps
    {
        get;
        init => field = OptionGuard.Check(typeof(EarlyStopping), value);
    }
}
