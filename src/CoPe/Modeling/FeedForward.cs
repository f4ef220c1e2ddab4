using CoPe.Kernels;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace CoPe.Modeling;

/// <summary>Gated feed-forward block (Shazeer, 2020, arXiv 2002.05202): <c>down(activation(gate(x)) * up(x))</c>.</summary>
sealed class FeedForward(DecoderConfig config, ModelWeights weights, string layer)
{
    readonly Linear gate = new(weights, $"{layer}.mlp.gate_proj");
    readonly Linear up = new(weights, $"{layer}.mlp.up_proj");
    readonly Linear down = new(weights, $"{layer}.mlp.down_proj");

    /// <summary>The function alone has no switch for the approximation; the module, which holds no state, has.</summary>
    static readonly TorchSharp.Modules.GELU GeluTanh = GELU(TorchSharp.Modules.GELU.Approximate.tanh, false);

    Tensor Gated(Tensor opened, Tensor value)
    {
        if (config.Activation != Activation.Silu) return GeluTanh.forward(opened).mul(value);
        return FusedGate.Applies(opened, value) ? FusedGate.Silu(opened, value) : functional.silu(opened).mul(value);
    }

    public Tensor Forward(Tensor x, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        var opened = gate.Forward(x, pass); // [rows, seq, intermediate]
        var value = up.Forward(x, pass);
        return down.Forward(Gated(opened, value), pass).MoveToOuterDisposeScope();
    }
}
