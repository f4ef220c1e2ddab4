using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>One linear layer, on top of which each row's adapters may add.</summary>
sealed class Linear(ModelWeights weights, string name)
{
    readonly FrozenLinear frozen = new(weights, $"{name}.weight", $"{name}.bias");

    /// <summary><code>y = x W^T + b + sum over the row's adapters of scaling * (x A^T) B^T</code> for x <c>[rows, seq, in]</c>; y <c>[rows, seq, out]</c>.</summary>
    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var input = x.contiguous();
        Tensor y;
        using (pass.Clock?.Enter("projections")) y = frozen.Multiply(input);
        using (pass.Clock?.Enter("adapters")) pass.Adapters?.AddTo(y, input, name);
        return y.MoveToOuterDisposeScope();
    }
}
