using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The nucleus of a distribution (Holtzman et al., 2020, eq. 3): the fewest best tokens that hold a probability p. Sorting a vocabulary costs as much as a step of a small model,
/// so in main memory the least score of the nucleus is found by a histogram instead, exactly.
/// </summary>
static class Nucleus
{
    /// <summary>Upper bits of a float by which probabilities are counted: sign, exponent and five bits of the fraction.</summary>
    const int Shift = 18;

    /// <summary>The least score in the nucleus of every row.</summary>
    /// <param name="scores"><c>[rows, n]</c> float32; their softmax is the distribution.</param>
    /// <param name="p">Probability to hold, above 0.</param>
    /// <returns><c>[rows, 1]</c> float32.</returns>
    public static Tensor Least(Tensor scores, double p) => scores.device_type == TorchSharp.DeviceType.CPU ? ByHistogram(scores, p) : BySort(scores, p);

    public static Tensor BySort(Tensor scores, double p)
    {
        using var scope = NewDisposeScope();
        var best = scores.sort(1, descending: true).Values;
        var probabilities = best.softmax(1).to(ScalarType.Float64);
        var before = probabilities.cumsum(1).sub_(probabilities); // what better tokens hold
        return best.masked_fill(before.ge(Scalars.Of(p)), Scalars.Of(double.PositiveInfinity)).amin([1], keepdim: true).MoveToOuterDisposeScope();
    }

    public static Tensor ByHistogram(Tensor scores, double p)
    {
        using var scope = NewDisposeScope();
        var probabilities = scores.softmax(1).contiguous();
        var (rows, n) = ((int)scores.shape[0], (int)scores.shape[1]);
        var all = probabilities.data<float>().ToArray();
        var least = new float[rows];
        var sums = new double[(BitConverter.SingleToInt32Bits(1f) >> Shift) + 1];
        for (var row = 0; row < rows; row++) least[row] = Least(all.AsSpan(row * n, n), sums, p);
        // From the probability back to a score of the row, so that the comparison is between scores and ties stay ties.
        var outside = probabilities < tensor(least, [rows, 1]);
        return scores.masked_fill(outside, Scalars.Of(double.PositiveInfinity)).amin([1], keepdim: true).MoveToOuterDisposeScope();
    }

    static float Least(ReadOnlySpan<float> probabilities, double[] sums, double p)
    {
        Array.Clear(sums);
        foreach (var probability in probabilities) sums[Bin(probability)] += probability;
        var bin = sums.Length - 1;
        var held = 0.0;
        while (bin > 0 && held + sums[bin] < p) held += sums[bin--];
        var last = new List<float>();
        foreach (var probability in probabilities)
            if (Bin(probability) == bin) last.Add(probability);
        last.Sort();
        var i = last.Count - 1;
        while (i > 0 && held + last[i] < p) held += last[i--];
        return i < 0 ? 0 : last[i];
    }

    // A softmax may exceed 1 by rounding; such a probability belongs to the last bin.
    static int Bin(float probability) => BitConverter.SingleToInt32Bits(Math.Min(probability, 1f)) >> Shift;
}
