using CoPe.Kernels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CoPe.Modeling;

/// <summary>One linear layer, on top of which each row's adapters may add.</summary>
sealed class Linear(ModelWeights weights, string name)
{
    readonly string weightName = $"{name}.weight";
    readonly string biasName = $"{name}.bias";
    readonly FewRowsLinear? few = FewRowsLinear.Of(weights[$"{name}.weight"], weights.Find($"{name}.bias"));

    /// <summary><code>y = x W^T + b + sum over the row's adapters of scaling * (x A^T) B^T</code> for x <c>[rows, seq, in]</c>; y <c>[rows, seq, out]</c>.</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var input = x.contiguous(); // a linear over strided rows is several times slower
        Tensor y;
        using (pass.Clock?.Enter("projections")) y = few is not null && few.Serves(input) ? few.Multiply(input) : Product(input, weights[weightName], weights.Find(biasName));
        using (pass.Clock?.Enter("adapters")) pass.Adapters?.AddTo(y, input, name);
        return y.MoveToOuterDisposeScope();
    }

    /// <summary><c>x W^T + b</c> in the dtype of x; weights of another dtype (float32 leaves of a bf16 pass) are cast for this use.</summary>
    public static Tensor Product(Tensor x, Tensor weight, Tensor? bias)
    {
        if (weight.dtype == x.dtype) return functional.linear(x, weight, bias);
        using var scope = NewDisposeScope();
        return functional.linear(x, weight.to(x.dtype), bias?.to(x.dtype)).MoveToOuterDisposeScope();
    }
}
