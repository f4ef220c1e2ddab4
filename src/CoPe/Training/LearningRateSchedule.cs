namespace CoPe.Training;

/// <summary>How the learning rate falls after its warm-up.</summary>
public enum LearningRateSchedule
{
    /// <summary>To 0 along a line: <see cref="LinearWarmup"/>.</summary>
    Linear,

    /// <summary>To a tenth along a cosine: <see cref="CosineWarmup"/>.</summary>
    Cosine,
}

/// <summary>
/// Learning rate that rises linearly from 0 and falls linearly to 0, as <c>get_linear_schedule_with_warmup</c> of
/// transformers.
/// </summary>
static class LinearWarmup
{
    /// <summary>
    /// Steps of the rise:
    /// <code>warmup = ceil(ratio * steps)</code>
    /// A training of a single step has none, for its rate would be 0.
    /// </summary>
    public static long WarmupSteps(double ratio, long steps) => steps == 1 ? 0 : (long)Math.Ceiling(ratio * steps);

    /// <summary>
    /// Rate of step s, counted from 0; the first step of a warm-up has rate 0:
    /// <code>peak * s / warmup for s &lt; warmup, else peak * max(0, steps - s) / max(1, steps - warmup)</code>
    /// </summary>
    public static double Rate(double peak, long step, long warmup, long steps) =>
        step < warmup
            ? peak * step / Math.Max(1, warmup)
            : peak * Math.Max(0.0, (double)(steps - step) / Math.Max(1, steps - warmup));
}

/// <summary>
/// Learning rate that rises linearly and falls along half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983,
/// equation 5).
/// </summary>
static class CosineWarmup
{
    /// <summary>
    /// Rate of step s, counted from 0; unlike <see cref="LinearWarmup"/> the first step already moves:
    /// <code>
    /// peak * (s + 1) / warmup   for s &lt; warmup, else
    /// peak * (floor + (1 - floor) * (1 + cos(pi * (s - warmup) / (steps - warmup))) / 2)
    /// </code>
    /// </summary>
    public static double Rate(double peak, long step, long warmup, long steps, double floor = 0.1)
    {
        if (step < warmup)
        {
            return peak * (step + 1) / warmup;
        }

        var progress = Math.Min(1.0, (double)(step - warmup) / Math.Max(1, steps - warmup));
        return peak * (floor + (1 - floor) * 0.5 * (1 + Math.Cos(Math.PI * progress)));
    }
}
