using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Decoding;

/// <summary>
/// The repetition penalty of Hugging Face (Keskar et al., 2019, CTRL, section 4.1): every token that stands in prompt or answer, once however often it stands there.
/// <code>s(v) := s(v) * penalty if s(v) &lt; 0 else s(v) / penalty</code>
/// It acts on logits in plain decoding; in contrastive decoding on the <see cref="ContrastiveScore"/> or on the logits before it (<see cref="PenaltyPlace"/>).
/// </summary>
public static class RepetitionPenalty
{
    /// <summary>Scores with the penalty applied.</summary>
    /// <param name="scores"><c>[rows, vocab]</c> float32.</param>
    /// <param name="ids">Tokens so far <c>[rows, length]</c> int64; shorter rows are filled up with any of their own tokens.</param>
    /// <param name="penalty">The penalty; 1 is none.</param>
    /// <returns><c>[rows, vocab]</c> float32, owned by the caller.</returns>
    public static Tensor Apply(Tensor scores, Tensor ids, double penalty)
    {
        using var scope = NewDisposeScope();
        var seen = scores.gather(1, ids); // [rows, length]
        var penalised = where(seen.lt(Scalars.Of(0)), seen.mul(Scalars.Of(penalty)), seen.div(Scalars.Of(penalty)));
        return scores.scatter(1, ids, penalised).MoveToOuterDisposeScope();
    }
}
