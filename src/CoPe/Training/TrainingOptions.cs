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

    /// <summary>Highest learning rate of the schedule.</summary>
    public double LearningRate
    {
        get;
        init => field = OptionGuard.AtLeast(value, 0, "learning rate");
    } = 1e-4;

    /// <summary>Passes over the data.</summary>
    public int Epochs
    {
        get;
        init => field = OptionGuard.Positive(value, "epochs");
    } = 2;

    /// <summary>
    /// Ends training, and the schedule, after so many steps instead of whole epochs; null takes the epochs.
    /// </summary>
    public int? MaxSteps
    {
        get;
        init => field = value is { } steps ? OptionGuard.Positive(steps, "max steps") : null;
    }

    /// <summary>Examples of a batch.</summary>
    public int BatchSize
    {
        get;
        init => field = OptionGuard.Positive(value, "batch size");
    } = 4;

    /// <summary>Batches of a step: their gradients add up to that of one batch of all their examples.</summary>
    public int GradientAccumulation
    {
        get;
        init => field = OptionGuard.Positive(value, "gradient accumulation");
    } = 1;

    /// <summary>Share of the steps in which the learning rate rises.</summary>
    public double WarmupRatio
    {
        get;
        init => field = OptionGuard.Within(value, 0, 1, "warm-up ratio");
    } = 0.1;

    /// <summary>How the learning rate falls.</summary>
    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.Linear;

    /// <summary>Largest gradient norm let through; 0 lets all through.</summary>
    public double MaxGradNorm
    {
        get;
        init => field = OptionGuard.AtLeast(value, 0, "max gradient norm");
    } = 0.3;

    /// <summary>The optimizer's constants, weight decay among them.</summary>
    public AdamWOptions Optimizer { get; init; } = new();

    /// <summary>Longest prompt and answer together, in tokens; the rest is cut off on the right.</summary>
    public int CutOff
    {
        get;
        init => field = OptionGuard.AtLeast(value, 2, "cut-off");
    } = 2048;

    /// <summary>
    /// Whether each epoch has an order of its own, drawn from the user's seed; otherwise the order given.
    /// </summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Seed of data order and dropout; a user's is derived from it and their name.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// Most tokens, padding included, that one pass through the model holds; a step of more is split. Lower it when
    /// memory runs out.
    /// </summary>
    public int TokensPerPass
    {
        get;
        init => field = OptionGuard.Positive(value, "max tokens per pass");
    } = 2048;

    /// <summary>
    /// Passes that run in parallel, each on one core; null takes as many as torch has threads for a small model and
    /// one for a large. Each holds up to <see cref="TokensPerPass"/> tokens.
    /// </summary>
    public int? Workers
    {
        get;
        init => field = value is { } workers ? OptionGuard.Positive(workers, "workers") : null;
    }

    /// <summary>
    /// Keeps only each layer's input for the backward pass and computes its inside again: far less memory, about a
    /// third more time, the same gradients.
    /// </summary>
    public bool RecomputeLayers { get; init; }

    /// <summary>When to stop early by the development split; null trains to the end.</summary>
    public EarlyStopping? EarlyStopping { get; init; }

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

/// <summary>Stops a user's training when their development loss no longer falls, and keeps their best adapter.</summary>
public sealed record EarlyStopping
{
    /// <summary>Evaluations without a new best after which a user stops.</summary>
    public int Patience
    {
        get;
        init => field = OptionGuard.Positive(value, "early stopping patience");
    } = 2;

    /// <summary>Steps between evaluations; 0 evaluates at the end of each epoch.</summary>
    public int EverySteps
    {
        get;
        init => field = OptionGuard.AtLeast(value, 0, "early stopping interval");
    }
}
