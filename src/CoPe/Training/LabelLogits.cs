using CoPe.Adapters;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>A pass through the model that ends in logits at the labels only: prompts need none.</summary>
internal static class LabelLogits
{
    /// <summary>Logits <c>[labels, vocab]</c> float32, the caller's. With <paramref name="recompute"/> layers are computed again for their gradients; the caller's scope then holds what they need.</summary>
    public static Tensor Of(CausalLm model, PassBatch batch, AdapterRows? adapters, bool recompute = false)
    {
        if (recompute) return AtLabels(model, model.ForwardRecomputed(batch.Tokens, adapters));
        using var scope = NewDisposeScope();
        return AtLabels(model, model.Forward(batch.Tokens, adapters)).MoveToOuterDisposeScope();
    }

    static Tensor AtLabels(CausalLm model, Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return model.Logits(hidden.reshape(-1, model.Config.HiddenSize)).MoveToOuterDisposeScope();
    }
}
