using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Kernels.Gemm;

/// <summary>A linear layer of frozen weights by a kernel of ours.</summary>
interface IFrozenLinear
{
    /// <summary><c>x W^T + b</c> for x <c>[..., in]</c>: <c>[..., out]</c>, owned by the caller.</summary>
    Tensor MultiplyUntracked(Tensor x);

    /// <summary><c>g W</c> for g <c>[..., out]</c>, contiguous: <c>[..., in]</c>, owned by the caller.</summary>
    Tensor MultiplyTransposed(Tensor g);
}

/// <summary>The product of an <see cref="IFrozenLinear"/> for autograd, which keeps nothing of it.</summary>
sealed class FrozenProduct : autograd.SingleTensorFunction<FrozenProduct>
{
    public override string Name => nameof(FrozenProduct);

    /// <summary><c>x W^T + b</c>; autograd works through it to x.</summary>
    public static Tensor Multiply(Tensor x, IFrozenLinear linear) => apply(x, linear);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var linear = (IFrozenLinear)vars[1];
        ctx.save_data("linear", linear);
        return linear.MultiplyUntracked((Tensor)vars[0]);
    }

    /// <summary><c>dL/dX = G W</c> for G the gradient of the result.</summary>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        ReturnedGradients.ReleaseLast();
        using var given = grad_output;
        using var rows = given.contiguous();
        return ReturnedGradients.Return(((IFrozenLinear)ctx.get_data("linear")).MultiplyTransposed(rows), null);
    }
}
