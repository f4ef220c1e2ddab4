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
        if (recompute) return AtLabels(model, batch, model.ForwardRecomputed(batch.Tokens, adapters));
        using var scope = NewDisposeScope();
        return AtLabels(model, batch, model.Forward(batch.Tokens, adapters)).MoveToOuterDisposeScope();
    }

    static Tensor AtLabels(CausalLm model, PassBatch batch, Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var flat = hidden.reshape(-1, hidden.shape[2]); // [rows * seq, hidden]
        return model.Logits(batch.LabelColumns is { } columns ? flat.index_select(0, columns) : flat).MoveToOuterDisposeScope();
    }
}
