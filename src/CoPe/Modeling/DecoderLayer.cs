using CoPe.Kernels.Fused;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CoPe.Modeling;

/// <summary>
/// One layer: attention and feed-forward block, each read through a norm from the residual stream and added to it.
/// </summary>
sealed class DecoderLayer(DecoderConfig config, ModelWeights weights, int index)
{
    readonly string _name = WeightLayout.GetLayerName(index);
    readonly Attention _attention = new(config, weights, index);
    readonly FeedForward _feedForward = new(config, weights, WeightLayout.GetLayerName(index));

    /// <summary>
    /// Hidden states <c>[rows, seq, hidden]</c> to the same after this layer, or to the wanted ones alone, <c>[rows,
    /// most, hidden]</c>, if it is the last.
    /// </summary>
    public Tensor Forward(Tensor hidden, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        using var rest = pass.Profiler?.Enter("norms, sums, activation");
        var mixed = _attention.Forward(Normalize(hidden, "input_layernorm"), pass);
        var queried = pass.GetAttention(index).Queries is { } wanted ? wanted.Gather(hidden) : hidden;
        var middle = queried.add(
            config.NormsAfterBlocks ? Normalize(mixed, "post_attention_layernorm") : mixed,
            Scalars.One
        );
        var fed = _feedForward.Forward(
            Normalize(middle, config.NormsAfterBlocks ? "pre_feedforward_layernorm" : "post_attention_layernorm"),
            pass
        );
        return middle
            .add(config.NormsAfterBlocks ? Normalize(fed, "post_feedforward_layernorm") : fed, Scalars.One)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Writes the layer's keys and values of hidden states <c>[rows, seq, hidden]</c> into the pass's cache and does no
    /// more.
    /// </summary>
    public void Prefill(Tensor hidden, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        _attention.Prefill(Normalize(hidden, "input_layernorm"), pass);
    }

    Tensor Normalize(Tensor x, string norm) =>
        RmsNorm.Apply(x, weights[$"{_name}.{norm}.weight"], config.NormEpsilon, config.NormAddsOne);
}

/// <summary>
/// Gated feed-forward block (Shazeer, 2020, arXiv 2002.05202): <c>down(activation(gate(x)) * up(x))</c>.
/// </summary>
sealed class FeedForward(DecoderConfig config, ModelWeights weights, string layer)
{
    readonly Linear _gate = new(weights, $"{layer}.mlp.gate_proj");
    readonly Linear _up = new(weights, $"{layer}.mlp.up_proj");
    readonly Linear _down = new(weights, $"{layer}.mlp.down_proj");

    /// <summary>
    /// The function alone has no switch for the approximation; the module, which holds no state, has.
    /// </summary>
    static readonly TorchSharp.Modules.GELU GeluTanh = GELU(TorchSharp.Modules.GELU.Approximate.tanh, false);

    Tensor ApplyGate(Tensor opened, Tensor value)
    {
        if (config.Activation != Activation.Silu)
        {
            return GeluTanh.forward(opened).mul(value);
        }

        return FusedSiluMul.Supports(opened, value)
            ? FusedSiluMul.Apply(opened, value)
            : functional.silu(opened).mul(value);
    }

    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var opened = _gate.Forward(x, pass); // [rows, seq, intermediate]
        var value = _up.Forward(x, pass);
        return _down.Forward(ApplyGate(opened, value), pass).MoveToOuterDisposeScope();
    }
}

/// <summary>Root-mean-square norm (Zhang and Sennrich, 2019, arXiv 1910.07467).</summary>
public static class RmsNorm
{
    /// <summary>
    /// <code>x / sqrt(mean(x^2) + epsilon) * weight</code> over the last axis, or <c>* (1 + weight)</c>. Squares and
    /// root in float32; the result has the dtype of
    /// <paramref name="x"/> <c>[..., width]</c> and belongs to the caller.
    /// </summary>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon, bool addOne)
    {
        if (FusedRmsNorm.Supports(x, weight))
        {
            return FusedRmsNorm.Apply(x, weight, epsilon, addOne);
        }

        using var scope = NewDisposeScope();
        var wide = x.to(ScalarType.Float32);
        var inverseRoot = wide.pow(Scalars.Of(2))
            .mean([-1], keepdim: true)
            .add_(Scalars.Of(epsilon), Scalars.One)
            .rsqrt_();
        var normed = wide.mul(inverseRoot);
        // Gemma multiplies before it rounds, the others after.
        var result = addOne
            ? normed.mul(weight.to(ScalarType.Float32).add(Scalars.One, Scalars.One)).to(x.dtype)
            : normed.to(x.dtype).mul(weight.to(x.dtype));
        return result.MoveToOuterDisposeScope();
    }
}

/// <summary>
/// A layer whose inside is computed again in the backward pass instead of being kept (Chen et al., 2016, arXiv
/// 1604.06174): of each layer only its input stays in memory, for about a third more time.
/// Dropout masks are functions of their seeds, so the second computation is the first one again.
/// </summary>
sealed class CheckpointedLayer : autograd.SingleTensorFunction<CheckpointedLayer>
{
    public override string Name => nameof(CheckpointedLayer);

    /// <summary>
    /// Hidden states <c>[rows, seq, hidden]</c> after the layer. The pass and its tensors must live until the backward
    /// pass has ended.
    /// </summary>
    public static Tensor Forward(DecoderLayer layer, Tensor hidden, ForwardPass pass)
    {
        if (hidden.requires_grad)
        {
            return apply(hidden, layer, pass);
        }

        // A frozen embedding: without a tracked input autograd would not come back here.
        using var leaf = hidden.detach();
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
