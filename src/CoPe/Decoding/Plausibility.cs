using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The plausible head of the expert's distribution (CoPe section 3, after Li et al., 2023, Contrastive Decoding, eq. 3).
/// <code>V = { v : p(v) >= plausibility * max p }</code>
/// </summary>
public static class Plausibility
{
    /// <summary>
    /// Logits with minus infinity outside the head, so that their softmax is the expert's distribution renormalised on the head.
    /// In logits the condition reads <c>l(v) >= max l + log(plausibility)</c>.
    /// </summary>
    /// <param name="expertLogits"><c>[rows, vocab]</c> float32.</param>
    /// <param name="plausibility">Share of the highest probability, 0 to 1; 0 keeps all.</param>
    /// <returns><c>[rows, vocab]</c> float32, owned by the caller.</returns>
    public static Tensor Restrict(Tensor expertLogits, double plausibility)
    {
        using var scope = NewDisposeScope();
        var threshold = expertLogits.amax([-1], keepdim: true).add_(Scalars.Of(Math.Log(plausibility)), Scalars.One); // [rows, 1]
        return expertLogits.masked_fill(expertLogits < threshold, Scalars.Of(double.NegativeInfinity)).MoveToOuterDisposeScope();
    }
}
