using CoPe.Kernels.Gemm;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>One linear layer, on top of which each row's adapters may add.</summary>
sealed class Linear(ModelWeights weights, string name)
{
    readonly FrozenLinear _frozen = new(weights, $"{name}.weight", $"{name}.bias");

    /// <summary>
    /// <code>y = x W^T + b + sum over the row's adapters of scaling * (x A^T) B^T</code> for x <c>[rows, seq, in]</c>;
    /// y <c>[rows, seq, out]</c>.
    /// </summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var input = x.contiguous();
        Tensor y;
        using (pass.Profiler?.Enter("projections"))
        {
            y = _frozen.Multiply(input);
        }

        using (pass.Profiler?.Enter("adapters"))
        {
            pass.Adapters?.AddTo(y, input, name);
        }

        return y.MoveToOuterDisposeScope();
    }
}

/// <summary>
/// One weight matrix as a model holds it, int8 or not, multiplied by our kernels where they serve and by torch
/// elsewhere. Borrows the weights.
/// </summary>
sealed class FrozenLinear(ModelWeights weights, string weightName, string biasName)
{
    readonly Int8Linear? _int8 = weights.Int8Matrices.TryGetValue(weightName, out var bytes)
        ? new(bytes, weights.Find(biasName))
        : null;
    SkinnyLinear? _skinny = weights.Find(weightName) is { } weight
        ? SkinnyLinear.TryCreate(weight, weights.Find(biasName))
        : null;

    /// <summary>
    /// <c>x W^T + b</c> for x <c>[..., in]</c>, <c>[..., out]</c> in its dtype, owned by the caller. x is contiguous: a
    /// linear over strided rows is several times slower.
    /// </summary>
    public Tensor Multiply(Tensor x) =>
        _int8 is not null ? _int8.Multiply(x)
        : _skinny is not null && _skinny.Supports(x) ? GetSkinny().Multiply(x)
        : MultiplyByTorch(x, weights[weightName], weights.Find(biasName));

    /// <summary>
    /// The kernel over the weight as it is now: an adapter merged into the model puts another in its place.
    /// </summary>
    SkinnyLinear GetSkinny() =>
        _skinny!.Uses(weights[weightName])
            ? _skinny
            : _skinny = SkinnyLinear.TryCreate(weights[weightName], weights.Find(biasName))!;

    /// <summary>
    /// <c>x W^T + b</c> in the dtype of x; weights of another dtype (float32 leaves of a bf16 pass) are cast for this
    /// use.
    /// </summary>
    static Tensor MultiplyByTorch(Tensor x, Tensor weight, Tensor? bias)
    {
        if (weight.dtype == x.dtype)
        {
            return MatrixProduct.Multiply(x, weight, bias);
        }

        using var scope = NewDisposeScope();
        return MatrixProduct.Multiply(x, weight.to(x.dtype), bias?.to(x.dtype)).MoveToOuterDisposeScope();
    }
}
