namespace CoPe.Training;

/// <summary>
/// Which examples a user's step takes: a function of seed and step, so that there is no state to save.
/// </summary>
sealed class BatchSampler(int examples, int batchSize, bool shuffle, long seed)
{
    readonly int _stepsPerEpoch = (examples + batchSize - 1) / batchSize;
    long _epochOfOrder = -1;
    int[] _order = [];

    /// <summary>Examples of a step, counted from 0; the last step of an epoch may have fewer.</summary>
    public ReadOnlySpan<int> ExamplesOfStep(long step)
    {
        var epoch = step / _stepsPerEpoch;
        if (epoch != _epochOfOrder)
        {
            _order = CreateOrder(epoch);
            _epochOfOrder = epoch;
        }

        var first = (int)(step % _stepsPerEpoch) * batchSize;
        return _order.AsSpan(first, Math.Min(batchSize, examples - first));
    }

    int[] CreateOrder(long epoch)
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
