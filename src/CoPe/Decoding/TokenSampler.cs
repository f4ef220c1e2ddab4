using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// From scores to a drawn token: temperature, top-k, top-p (Holtzman et al., 2020, section 3.1) in the order of Hugging Face, then one draw by the row's own uniform number.
/// </summary>
public static class TokenSampler
{
    /// <summary>
    /// Scores divided by the temperature, with minus infinity for tokens that top-k or top-p cut. Top-p keeps a token if those better than it hold less than <paramref name="topP"/>
    /// of what top-k left. Tokens that tie with the last one kept are kept.
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
        if (kept == vocab && topP >= 1) return warped.MoveToOuterDisposeScope();
        using var best = kept == vocab ? warped.alias() : warped.topk(kept).values; // [rows, kept]
        var last = topP >= 1 ? best.amin([1], keepdim: true) : Nucleus.Least(best, topP); // [rows, 1]
        return warped.masked_fill_(warped < last, Scalars.Of(double.NegativeInfinity)).MoveToOuterDisposeScope();
    }

    /// <summary>Draws one token a row: the first at which the running sum of probabilities exceeds the row's uniform number.</summary>
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
