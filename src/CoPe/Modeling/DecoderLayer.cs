using CoPe.Kernels.Fused;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CoPe.Modeling;

/// <summary>
/// One layer: attention and feed-forward block, each of which reads the residual stream through a norm and adds to it.
/// </summary>
sealed class DecoderLayer(DecoderConfig config, ModelWeights weights, int index)
{
    readonly string _name = WeightLayout.GetLayerName(index);
    readonly Attention _attention = new(config, weights, index);
    readonly FeedForward _feedForward = new(config, weights, WeightLayout.GetLayerName(index));

    /// <summary>
    /// Hidden states <c>[rows, seq, hidden]</c> after this layer; of the last layer the output columns alone,
    /// <c>[rows, most, hidden]</c>. The caller owns the result.
    /// </summary>
    public Tensor Forward(Tensor hidden, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        using var section = pass.Profiler?.Enter("norms, sums, activation");

        var (norms, addend) = (config.Norms, Scalars.Of(config.ResidualMultiplier));
        var attended = _attention.Forward(Normalize(hidden, norms.BeforeAttention), pass);
        var queries = pass.GetAttention(index).Queries;
        var residual = queries is null ? hidden : queries.Gather(hidden);
        residual = residual.add(Normalize(attended, norms.AfterAttention), addend);

        var transformed = _feedForward.Forward(Normalize(residual, norms.BeforeFeedForward), pass, queries);
        return residual.add(Normalize(transformed, norms.AfterFeedForward), addend).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Writes the layer's keys and values of hidden states <c>[rows, seq, hidden]</c> into the pass's cache, no more.
    /// </summary>
    public void Prefill(Tensor hidden, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        _attention.Prefill(Normalize(hidden, config.Norms.BeforeAttention), pass);
    }

    /// <summary>x itself where there is no norm.</summary>
    Tensor Normalize(Tensor x, string? norm) =>
        norm is null ? x : RmsNorm.Apply(x, weights[$"{_name}.{norm}.weight"], config.NormEpsilon, config.NormAddsOne);
}

/// <summary>
/// Gated feed-forward block (Shazeer, 2020, arXiv 2002.05202): <c>down(activation(gate(x)) * up(x))</c>.
/// </summary>
sealed class FeedForward(DecoderConfig config, ModelWeights weights, string layer)
{
    /// <summary>
    /// The function alone has no switch for the approximation; the module, which holds no state, has.
    /// </summary>
    static readonly TorchSharp.Modules.GELU GeluTanh = GELU(TorchSharp.Modules.GELU.Approximate.tanh, false);

    readonly JointLinear _gateAndUp = new(
        weights,
        config.FusedGateUp ? $"{layer}.mlp.gate_up_proj" : null,
        [new($"{layer}.mlp.gate_proj", config.IntermediateSize), new($"{layer}.mlp.up_proj", config.IntermediateSize)]
    );

    readonly Linear _down = new(weights, $"{layer}.mlp.down_proj");

    /// <summary>
    /// For x <c>[rows, seq, hidden]</c>, or the columns of it that are given; the result is of its shape and the
    /// caller's.
    /// </summary>
    public Tensor Forward(Tensor x, ForwardPass pass, OutputColumns? columns)
    {
        using var scope = NewDisposeScope();
        var parts = _gateAndUp.Forward(x, pass, columns); // [rows, seq, intermediate] each
        return _down.Forward(ApplyGate(parts[0], parts[1]), pass, columns).MoveToOuterDisposeScope();
    }

    Tensor ApplyGate(Tensor gate, Tensor up)
    {
        if (config.Activation == Activation.Silu && FusedSiluMul.Supports(gate, up))
        {
            return FusedSiluMul.Apply(gate, up);
        }

        var activated = config.Activation switch
        {
            Activation.Silu => functional.silu(gate),
            Activation.Gelu => functional.gelu(gate),
            Activation.Relu => functional.relu(gate),
            _ => GeluTanh.forward(gate),
        };
        return activated.mul(up);
    }
}

/// <summary>Root-mean-square norm (Zhang and Sennrich, 2019, arXiv 1910.07467).</summary>
static class RmsNorm
{
    /// <summary>
    /// <code>x / sqrt(mean(x^2) + epsilon) * weight</code> over the last axis of x <c>[..., width]</c>, or
    /// <c>* (1 + weight)</c>. Squares and root in float32; the result has the dtype of x and belongs to the caller.
    /// </summary>
    public static Tensor Apply(Tensor x, Tensor weight, double epsilon, bool addOne)
    {
        if (FusedRmsNorm.Supports(x, weight))
        {
            return FusedRmsNorm.Apply(x, weight, epsilon, addOne);
        }

        using var scope = NewDisposeScope();
        var wide = x.to(ScalarType.Float32);
        var meanSquare = wide.pow(Scalars.Of(2)).mean([-1], keepdim: true);
        var inverseRoot = meanSquare.add_(Scalars.Of(epsilon), Scalars.One).rsqrt_();
        var normalized = wide.mul(inverseRoot);
        if (!addOne)
        {
            return normalized.to(x.dtype).mul(weight.to(x.dtype)).MoveToOuterDisposeScope();
        }

        // Gemma multiplies before it rounds, the others after.
        var factor = weight.to(ScalarType.Float32).add(Scalars.One, Scalars.One);
        return normalized.mul(factor).to(x.dtype).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// A layer whose inside is computed again in the backward pass instead of being kept (gradient checkpointing; Chen et
/// al., 2016, arXiv 1604.06174): of each layer only its input stays in memory, for about a third more time. Dropout
/// masks are functions of their seeds, so that the second computation repeats the first.
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

        // A frozen embedding: without a tracked input autograd would not call the backward pass.
        using var leaf = hidden.detach();
        leaf.requires_grad = true;
        return apply(leaf, layer, pass);
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (hidden, layer, pass) = ((Tensor)vars[0], (DecoderLayer)vars[1], (ForwardPass)vars[2]);
        ctx.save_for_backward([hidden]);
        ctx.save_data("layer", layer);
        ctx.save_data("pass", pass);
        using var noGrad = no_grad();
        return layer.Forward(hidden, pass);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var scope = NewDisposeScope();
        using var grad = enable_grad();
        var layer = (DecoderLayer)ctx.get_data("layer");
        var pass = (ForwardPass)ctx.get_data("pass");
        var hidden = ctx.get_saved_variables()[0].detach();
        hidden.requires_grad = true;
        var output = layer.Forward(hidden, pass);
        autograd.backward([output], [grad_output]); // adapters collect their gradients in place
        return [hidden.grad!.MoveToOuterDisposeScope(), null!, null!];
    }
}
