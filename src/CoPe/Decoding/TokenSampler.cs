using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// From scores to a drawn token: temperature, top-k, top-p (Holtzman et al., 2020, section 3.1) in the order of Hugging
/// Face, then one draw by the row's own uniform number.
/// </summary>
static class TokenSampler
{
    /// <summary>
    /// Scores divided by the temperature, with minus infinity for tokens that top-k or top-p cut. Top-p keeps a token
    /// if those better than it hold less than <paramref name="topP"/> of what top-k left. Tokens that tie with the last
    /// one kept are kept.
    /// </summary>
    /// <param name="scores"><c>[rows, vocab]</c> float32.</param>
    /// <param name="temperature">Divisor, above 0.</param>
    /// <param name="topK">How many best tokens to keep; 0 is all.</param>
    /// <param name="topP">Probability to keep; 1 is all.</param>
    /// <returns><c>[rows, vocab]</c> float32, owned by the caller.</returns>
    public static Tensor Warp(Tensor scores, double temperature, int topK, double topP)
    {
        using var scope = NewDisposeScope();
        var warped = scores.div(Scalars.Of(temperature));
        var vocab = (int)scores.shape[1];
        var kept = topK == 0 ? vocab : Math.Min(topK, vocab);
        if (kept == vocab && topP >= 1)
        {
            return warped.MoveToOuterDisposeScope();
        }

        using var best = kept == vocab ? warped.alias() : warped.topk(kept).values; // [rows, kept]
        var last = topP >= 1 ? best.amin([1], keepdim: true) : Nucleus.ComputeThreshold(best, topP); // [rows, 1]
        return warped.masked_fill_(warped < last, Scalars.Of(double.NegativeInfinity)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Draws one token a row: the first at which the running sum of probabilities exceeds the row's uniform number.
    /// </summary>
    /// <param name="scores">Warped scores <c>[rows, vocab]</c> float32; their softmax is drawn from.</param>
    /// <param name="uniforms">One number a row in [0, 1), <c>[rows]</c> float64.</param>
    /// <returns>Token ids <c>[rows]</c> int64, owned by the caller.</returns>
    public static Tensor Draw(Tensor scores, Tensor uniforms)
    {
        using var scope = NewDisposeScope();
        var sums = scores.softmax(-1).cumsum(-1, ScalarType.Float64); // [rows, vocab]
        var targets = uniforms.unsqueeze(1) * sums.narrow(1, sums.shape[1] - 1, 1); // [rows, 1]
        return searchsorted(sums, targets, right: true).squeeze(1).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// The nucleus of a distribution (Holtzman et al., 2020, eq. 3): the fewest best tokens that hold a probability p.
/// Sorting a vocabulary costs as much as a step of a small model, so in main memory the least score of the nucleus is
/// found by a histogram instead, exactly.
/// </summary>
static class Nucleus
{
    /// <summary>
    /// Upper bits of a float by which probabilities are counted: sign, exponent and five bits of the fraction.
    /// </summary>
    const int Shift = 18;

    /// <summary>The least score in the nucleus of every row.</summary>
    /// <param name="scores"><c>[rows, n]</c> float32; their softmax is the distribution.</param>
    /// <param name="p">Probability to hold, above 0.</param>
    /// <returns><c>[rows, 1]</c> float32.</returns>
    public static Tensor ComputeThreshold(Tensor scores, double p) =>
        scores.device_type == TorchSharp.DeviceType.CPU ? ThresholdByHistogram(scores, p) : ThresholdBySort(scores, p);

    public static Tensor ThresholdBySort(Tensor scores, double p)
    {
        using var scope = NewDisposeScope();
        var best = scores.sort(1, descending: true).Values;
        var probabilities = best.softmax(1).to(ScalarType.Float64);
        var before = probabilities.cumsum(1).sub_(probabilities); // what better tokens hold
        return best.masked_fill(before.ge(Scalars.Of(p)), Scalars.Of(double.PositiveInfinity))
            .amin([1], keepdim: true)
            .MoveToOuterDisposeScope();
    }

    public static Tensor ThresholdByHistogram(Tensor scores, double p)
    {
        using var scope = NewDisposeScope();
        var probabilities = scores.softmax(1).contiguous();
        var (rows, n) = ((int)scores.shape[0], (int)scores.shape[1]);
        var all = probabilities.data<float>().ToArray();
        var least = new float[rows];
        var sums = new double[(BitConverter.SingleToInt32Bits(1f) >> Shift) + 1];
        for (var row = 0; row < rows; row++)
        {
            least[row] = ComputeThreshold(all.AsSpan(row * n, n), sums, p);
        }
        // From the probability back to a score of the row, so that the comparison is between scores and ties stay ties.
        var outside = probabilities < tensor(least, [rows, 1]);
        return scores
            .masked_fill(outside, Scalars.Of(double.PositiveInfinity))
            .amin([1], keepdim: true)
            .MoveToOuterDisposeScope();
    }

    static float ComputeThreshold(ReadOnlySpan<float> probabilities, double[] sums, double p)
    {
        Array.Clear(sums);
        foreach (var probability in probabilities)
        {
            sums[Bin(probability)] += probability;
        }

        var bin = sums.Length - 1;
        var held = 0.0;
        while (bin > 0 && held + sums[bin] < p)
        {
            held += sums[bin];
            bin--;
        }

        var last = new List<float>();
        foreach (var probability in probabilities)
        {
            if (Bin(probability) == bin)
            {
                last.Add(probability);
            }
        }

        last.Sort();
        var i = last.Count - 1;
        while (i > 0 && held + last[i] < p)
        {
            held += last[i];
            i--;
        }

        return i < 0 ? 0 : last[i];
    }

    // A softmax may exceed 1 by rounding; such a probability belongs to the last bin.
    static int Bin(float probability) => BitConverter.SingleToInt32Bits(Math.Min(probability, 1f)) >> Shift;
}
