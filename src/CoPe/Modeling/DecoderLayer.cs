using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>One layer: attention and feed-forward block, each read through a norm from the residual stream and added to it.</summary>
sealed class DecoderLayer(DecoderConfig config, ModelWeights weights, int index)
{
    readonly string name = WeightLayout.Layer(index);
    readonly Attention attention = new(config, weights, index);
    readonly FeedForward feedForward = new(config, weights, WeightLayout.Layer(index));

    /// <summary>Hidden states <c>[rows, seq, hidden]</c> to the same after this layer, or to the wanted ones alone, <c>[rows, most, hidden]</c>, if it is the last.</summary>
    public Tensor Forward(Tensor hidden, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        using var rest = pass.Clock?.Enter("norms, sums, activation");
        var mixed = attention.Forward(Norm(hidden, "input_layernorm"), pass);
        var queried = pass.ViewOf(index).Queries is { } wanted ? wanted.Of(hidden) : hidden;
        var middle = queried.add(config.NormsAfterBlocks ? Norm(mixed, "post_attention_layernorm") : mixed, Scalars.One);
        var fed = feedForward.Forward(Norm(middle, config.NormsAfterBlocks ? "pre_feedforward_layernorm" : "post_attention_layernorm"), pass);
        return middle.add(config.NormsAfterBlocks ? Norm(fed, "post_feedforward_layernorm") : fed, Scalars.One).MoveToOuterDisposeScope();
    }

    /// <summary>Writes the layer's keys and values of hidden states <c>[rows, seq, hidden]</c> into the pass's cache and does no more.</summary>
    public void FillCache(Tensor hidden, ForwardPass pass)
    {
        using var scope = NewDisposeScope();
        attention.FillCache(Norm(hidden, "input_layernorm"), pass);
    }

    Tensor Norm(Tensor x, string norm) => RmsNorm.Apply(x, weights[$"{name}.{norm}.weight"], config.NormEpsilon, config.NormAddsOne);
}
