using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// A layer whose inside is computed again in the backward pass instead of being kept (Chen et al., 2016, arXiv 1604.06174): of each layer only its input stays in memory, for about a third more time.
/// Dropout masks are functions of their seeds, so the second computation is the first one again.
/// </summary>
sealed class RecomputedLayer : autograd.SingleTensorFunction<RecomputedLayer>
{
    public override string Name => nameof(RecomputedLayer);

    /// <summary>Hidden states <c>[rows, seq, hidden]</c> after the layer. The pass and its tensors must live until the backward pass has ended.</summary>
    public static Tensor Forward(DecoderLayer layer, Tensor hidden, ForwardPass pass)
    {
        if (hidden.requires_grad) return apply(hidden, layer, pass);
        using var leaf = hidden.detach(); // a frozen embedding: without a tracked input autograd would not come back here
        leaf.requires_grad = true;
        return apply(leaf, layer, pass);
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var hidden = (Tensor)vars[0];
        ctx.save_for_backward([hidden]);
        ctx.save_data("layer", vars[1]);
        ctx.save_data("pass", vars[2]);
        using var noGrad = no_grad();
        return ((DecoderLayer)vars[1]).Forward(hidden, (ForwardPass)vars[2]);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        using var grad = enable_grad();
        var hidden = ctx.get_saved_variables()[0].detach();
        hidden.requires_grad = true;
        var output = ((DecoderLayer)ctx.get_data("layer")).Forward(hidden, (ForwardPass)ctx.get_data("pass"));
        autograd.backward([output], [grad_output]); // adapters collect their gradients in place
        return [hidden.grad!.MoveToOuterDisposeScope(), null!, null!];
    }
}
