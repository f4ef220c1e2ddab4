using CoPe.Kernels.Fused;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Rotary position embedding (Su et al., 2021, arXiv 2104.09864): rotates the planes of a head by position * frequency.
/// Plane i is coordinates (i, i + width / 2) of the width that rotates, or (2 i, 2 i + 1) where they are interleaved.
/// </summary>
sealed class RotaryEmbedding
{
    readonly bool _isInterleaved;
    readonly Tensor _cosine; // [rows, seq, 1, width]
    readonly Tensor _signedSine; // [rows, seq, 1, width], negated at the first coordinate of each plane
    readonly Tensor? _queryScale; // [rows, seq, 1, 1]

    /// <summary>
    /// Tables for positions <c>[rows, seq]</c>. Angles in float32, as Hugging Face computes them; the tables belong to
    /// the dispose scope in force.
    /// </summary>
    /// <param name="positions">The positions.</param>
    /// <param name="rope">The settings.</param>
    /// <param name="frequencies">
    /// Of each plane, <c>[planes]</c>, or of each row and plane, <c>[rows, 1, planes]</c>; float32.
    /// </param>
    /// <param name="dtype">Number type of the tables.</param>
    public RotaryEmbedding(Tensor positions, RopeConfig rope, Tensor frequencies, ScalarType dtype)
    {
        _isInterleaved = rope.Interleaved;
        using var scope = NewDisposeScope();
        var angles = positions.to(ScalarType.Float32).unsqueeze(-1).mul(frequencies); // [rows, seq, planes]
        var (cos, sin) = (angles.cos(), angles.sin());
        if (rope.AttentionFactor != 1)
        {
            var factor = Scalars.Of(rope.AttentionFactor);
            (cos, sin) = (cos.mul(factor), sin.mul(factor));
        }

        _cosine = Join(cos, cos).unsqueeze(2).to(dtype).MoveToOuterDisposeScope();
        _signedSine = Join(sin.neg(), sin).unsqueeze(2).to(dtype).MoveToOuterDisposeScope();
        _queryScale = CreateQueryScale(positions, rope)?.to(dtype).MoveToOuterDisposeScope();
    }

    RotaryEmbedding(RotaryEmbedding all, OutputColumns columns)
    {
        _isInterleaved = all._isInterleaved;
        _cosine = columns.Gather(all._cosine);
        _signedSine = columns.Gather(all._signedSine);
        _queryScale = all._queryScale is null ? null : columns.Gather(all._queryScale);
    }

    /// <summary>
    /// The tables of the output columns, <c>[rows, most, 1, width]</c>, which belong to the dispose scope in force.
    /// </summary>
    public RotaryEmbedding Select(OutputColumns columns) => new(this, columns);

    /// <summary>
    /// <c>x * cos + (x with the coordinates of each plane swapped) * (-sin, sin)</c> for x
    /// <c>[rows, seq, heads, headDim]</c>; what does not rotate stays. The result is of its shape and the caller's.
    /// </summary>
    public Tensor Apply(Tensor x)
    {
        if (DecodeRotary.Supports(x, _cosine))
        {
            return DecodeRotary.Apply(x, _cosine, _signedSine, _isInterleaved);
        }

        using var scope = NewDisposeScope();
        var (headDim, width) = (x.shape[^1], _cosine.shape[^1]);
        var moving = width == headDim ? x : x.narrow(-1, 0, width);
        var rotated = Swap(moving).mul(_signedSine).addcmul(moving, _cosine, Scalars.One);
        var whole = width == headDim ? rotated : cat([rotated, x.narrow(-1, width, headDim - width)], -1);
        return whole.MoveToOuterDisposeScope();
    }

    /// <summary>The same for queries, which some models also scale by position.</summary>
    public Tensor ApplyToQueries(Tensor x)
    {
        using var scope = NewDisposeScope();
        var rotated = Apply(x);
        return (_queryScale is null ? rotated : rotated.mul(_queryScale)).MoveToOuterDisposeScope();
    }

    /// <summary><c>1 + beta ln(1 + floor(p / original))</c>.</summary>
    static Tensor? CreateQueryScale(Tensor positions, RopeConfig rope)
    {
        if (rope.QueryScalingBeta == 0)
        {
            return null;
        }

        var blocks = positions.to(ScalarType.Float32).div(Scalars.Of(rope.OriginalMaxPositions)).floor();
        var scale = blocks.log1p().mul(Scalars.Of(rope.QueryScalingBeta)).add(Scalars.One, Scalars.One);
        return scale.unsqueeze(-1).unsqueeze(-1);
    }

    /// <summary>The values of first and second coordinates of each plane, where those stand.</summary>
    Tensor Join(Tensor first, Tensor second) =>
        _isInterleaved ? stack([first, second], -1).flatten(-2, -1) : cat([first, second], -1);

    Tensor Swap(Tensor x)
    {
        var width = x.shape[^1];
        return _isInterleaved
            ? x.reshape([.. x.shape[..^1], width / 2, 2]).flip(-1).reshape(x.shape)
            : x.roll(width / 2, -1);
    }
}
