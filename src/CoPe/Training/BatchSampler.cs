namespace CoPe.Training;

/// <summary>Which examples a user's step takes. A function of seed and step, so the step is the cursor.</summary>
sealed class BatchSampler(int examples, int batch, bool shuffle, long seed)
{
    readonly int _stepsPerEpoch = (examples + batch - 1) / batch;
    long _epochHeld = -1;
    int[] _order = [];

    /// <summary>Examples of a step, counted from 0; the last step of an epoch may have fewer.</summary>
    public ReadOnlySpan<int> ExamplesOfStep(long step)
    {
        var epoch = step / _stepsPerEpoch;
        if (epoch != _epochHeld)
        {
            (_order, _epochHeld) = (Permutation(epoch), epoch);
        }

        var first = (int)(step % _stepsPerEpoch) * batch;
        return _order.AsSpan(first, Math.Min(batch, examples - first));
    }

    int[] Permutation(long epoch)
    {
        var permutation = Enumerable.Range(0, examples).ToArray();
        if (!shuffle)
        {
            return permutation;
        }

        var stream = new SplitMix64((ulong)SeedDerivation.Combine(seed, epoch));
        for (var i = examples - 1; i > 0; i--)
        {
            var j = stream.NextBelow(i + 1);
            (permutation[i], permutation[j]) = (permutation[j], permutation[i]);
        }
        return permutation;
    }
}
