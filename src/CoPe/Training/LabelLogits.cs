using CoPe.Adapters;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>A pass through the model that ends in logits at the labels only: prompts need none.</summary>
internal static class LabelLogits
{
    /// <summary>Logits <c>[labels, vocab]</c> float32, the caller's.</summary>
    public static Tensor Of(CausalLm model, PassBatch batch, AdapterRows? adapters)
    {
        using var scope = NewDisposeScope();
        var hidden = model.Forward(batch.Tokens, adapters); // [rows, seq, hidden]
        var flat = hidden.reshape(-1, hidden.shape[2]); // [rows * seq, hidden]
        return model.Logits(batch.LabelColumns is { } columns ? flat.index_select(0, columns) : flat).MoveToOuterDisposeScope();
    }
}
