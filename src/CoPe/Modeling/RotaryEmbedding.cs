using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>Rotary position embedding: turns plane i of a head, coordinates (i, i + headDim / 2), by position * frequency[i].</summary>
sealed class RotaryEmbedding
{
    readonly Tensor cosine;     // [rows, seq, 1, headDim]
    readonly Tensor signedSine; // [rows, seq, 1, headDim], first half negated

    RotaryEmbedding(Tensor cosine, Tensor signedSine) => (this.cosine, this.signedSine) = (cosine, signedSine);

    /// <summary>Angles in float32 as Hugging Face computes them; the tables belong to the dispose scope in force.</summary>
    public RotaryEmbedding(Tensor positions, float[] frequencies, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var angles = positions.to(ScalarType.Float32).unsqueeze(-1).mul(tensor(frequencies, device: positions.device)); // [rows, seq, headDim / 2]
        var (cos, sin) = (angles.cos(), angles.sin());
        cosine = cat([cos, cos], -1).unsqueeze(2).to(dtype).MoveToOuterDisposeScope();
        signedSine = cat([sin.neg(), sin], -1).unsqueeze(2).to(dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The tables of the wanted columns, <c>[rows, most, 1, headDim]</c>, which belong to the dispose scope in force.</summary>
    public RotaryEmbedding At(WantedColumns wanted) => new(wanted.Of(cosine), wanted.Of(signedSine));

    /// <summary><c>x * cos + (x with halves swapped) * (-sin, sin)</c> for x <c>[rows, seq, heads, headDim]</c>.</summary>
    public Tensor Apply(Tensor x)
    {
        if (StepRotary.Applies(x)) return StepRotary.Apply(x, cosine, signedSine);
        using var scope = NewDisposeScope();
        return x.roll(x.shape[^1] / 2, -1).mul(signedSine).addcmul(x, cosine, Scalars.One).MoveToOuterDisposeScope();
    }
}
