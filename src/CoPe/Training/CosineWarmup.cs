namespace CoPe.Training;

/// <summary>Learning rate that rises linearly and falls along half a cosine (Loshchilov and Hutter 2017, arXiv 1608.03983, equation 5).</summary>
public static class CosineWarmup
{
    /// <summary>
    /// Rate of step s, counted from 0; unlike <see cref="LinearWarmup"/> the first step already moves:
    /// <code>peak * (s + 1) / warmup for s &lt; warmup, else peak * (floor + (1 - floor) * (1 + cos(pi * (s - warmup) / (steps - warmup))) / 2)</code>
    /// </summary>
    public static double Rate(double peak, long step, long warmup, long steps, double floor = 0.1)
    {
        if (step < warmup) return peak * (step + 1) / warmup;
        var progress = Math.Min(1.0, (double)(step - warmup) / Math.Max(1, steps - warmup));
        return peak * (floor + (1 - floor) * 0.5 * (1 + Math.Cos(Math.PI * progress)));
    }
}
