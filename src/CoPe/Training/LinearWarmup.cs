namespace CoPe.Training;

/// <summary>Learning rate that rises linearly from 0 and falls linearly to 0, as <c>get_linear_schedule_with_warmup</c> of transformers.</summary>
public static class LinearWarmup
{
    /// <summary>
    /// Steps of the rise:
    /// <code>warmup = ceil(ratio * steps)</code>
    /// </summary>
    public static long WarmupSteps(double ratio, long steps) => (long)Math.Ceiling(ratio * steps);

    /// <summary>
    /// Rate of step s, counted from 0; the first step of a warm-up has rate 0:
    /// <code>peak * s / warmup for s &lt; warmup, else peak * max(0, steps - s) / max(1, steps - warmup)</code>
    /// </summary>
    public static double Rate(double peak, long step, long warmup, long steps) => step < warmup
        ? peak * step / Math.Max(1, warmup)
        : peak * Math.Max(0.0, (double)(steps - step) / Math.Max(1, steps - warmup));
}
