using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>One weight matrix as a model holds it, int8 or not, multiplied by our kernels where they serve and by torch elsewhere. Borrows the weights.</summary>
sealed class FrozenLinear(ModelWeights weights, string weightName, string biasName)
{
    readonly ByteLinear? rounded = weights.Rounded.TryGetValue(weightName, out var bytes) ? new(bytes, weights.Find(biasName)) : null;
    FewRowsLinear? few = weights.Find(weightName) is { } weight ? FewRowsLinear.Of(weight, weights.Find(biasName)) : null;

    /// <summary><c>x W^T + b</c> for x <c>[..., in]</c>, <c>[..., out]</c> in its dtype, owned by the caller. x is contiguous: a linear over strided rows is several times slower.</summary>
    public Tensor Multiply(Tensor x) =>
        rounded is not null ? rounded.Multiply(x) : few is not null && few.Serves(x) ? Few().Multiply(x) : Product(x, weights[weightName], weights.Find(biasName));

    /// <summary>The kernel over the weight as it is now: an adapter merged into the model puts another in its place.</summary>
    FewRowsLinear Few() => few!.IsOver(weights[weightName]) ? few : few = FewRowsLinear.Of(weights[weightName], weights.Find(biasName))!;

    /// <summary><c>x W^T + b</c> in the dtype of x; weights of another dtype (float32 leaves of a bf16 pass) are cast for this use.</summary>
    static Tensor Product(Tensor x, Tensor weight, Tensor? bias)
    {
        if (weight.dtype == x.dtype) return MatrixProduct.Of(x, weight, bias);
        using var scope = NewDisposeScope();
        return MatrixProduct.Of(x, weight.to(x.dtype), bias?.to(x.dtype)).MoveToOuterDisposeScope();
    }
}
