using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>Root-mean-square norm (Zhang and Sennrich, 2019, arXiv 1910.07467).</summary>
public static class RmsNorm
{
    /// <summary>
    /// <code>x / sqrt(mean(x^2) + epsilon) * weight</code> over the last axis, or <c>* (1 + weight)</c>. Squares and root in float32; the result has the dtype of
    /// <paramref name="x"/> <c>[..., width]</c> and belongs to the caller.
    /// </summary>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon, bool addOne)
    {
        if (FusedNorm.Applies(x, weight)) return FusedNorm.Apply(x, weight, epsilon, addOne);
        using var scope = NewDisposeScope();
        var wide = x.to(ScalarType.Float32);
        var inverseRoot = wide.pow(Scalars.Of(2)).mean([-1], keepdim: true).add_(Scalars.Of(epsilon), Scalars.One).rsqrt_();
        var normed = wide.mul(inverseRoot);
        // Gemma multiplies before it rounds, the others after.
        var result = addOne ? normed.mul(weight.to(ScalarType.Float32).add(Scalars.One, Scalars.One)).to(x.dtype) : normed.to(x.dtype).mul(weight.to(x.dtype));
        return result.MoveToOuterDisposeScope();
    }
}
