namespace CoPe.Training;

/// <summary>Which examples a user's step takes. A function of seed and step, so the step is the cursor.</summary>
internal sealed class DataOrder(int examples, int batch, bool shuffle, long seed)
{
    readonly int stepsPerEpoch = (examples + batch - 1) / batch;
    long epochHeld = -1;
    int[] order = [];

    /// <summary>Examples of a step, counted from 0; the last step of an epoch may have fewer.</summary>
    public ReadOnlySpan<int> Of(long step)
    {
        var epoch = step / stepsPerEpoch;
        if (epoch != epochHeld) (order, epochHeld) = (Permutation(epoch), epoch);
        var first = (int)(step % stepsPerEpoch) * batch;
        return order.AsSpan(first, Math.Min(batch, examples - first));
    }

    int[] Permutation(long epoch)
    {
        var permutation = Enumerable.Range(0, examples).ToArray();
        if (!shuffle) return permutation;
        var stream = new SeedStream((ulong)SeedStream.Derive(seed, epoch));
        for (var i = examples - 1; i > 0; i--)
        {
            var j = stream.Below(i + 1);
            (permutation[i], permutation[j]) = (permutation[j], permutation[i]);
        }
        return permutation;
    }
}
