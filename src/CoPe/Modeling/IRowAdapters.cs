using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// What the rows of a forward pass add to the outputs of a decoder's linear layers. An argument of the pass, never a
/// mode of the model; <c>CoPe.Adapters.AdapterRows</c> is the implementation.
/// </summary>
public interface IRowAdapters
{
    /// <summary>Prepares one forward pass.</summary>
    /// <param name="batch">The pass's tokens.</param>
    /// <param name="dtype">Element type that the pass computes in.</param>
    /// <exception cref="ArgumentException">The adapters are for another number of rows.</exception>
    internal ILinearTerms StartPass(TokenBatch batch, ScalarType dtype);

    /// <summary>
    /// Puts the logits of adapters that have a head of their own in the place of the model's, and adds the terms of
    /// adapters of the head, for hidden states <c>[n, hidden]</c> and logits <c>[n, vocab]</c>, in place.
    /// </summary>
    /// <param name="logits">What the head computed.</param>
    /// <param name="hidden">The hidden states.</param>
    /// <param name="rows">Row of the pass that each hidden state is of; null: they are one a row.</param>
    internal void AdaptLogits(Tensor logits, Tensor hidden, IReadOnlyList<int>? rows);
}

/// <summary>
/// The adapters of one forward pass, layer by layer. Their tensors belong to the dispose scope in which it starts.
/// </summary>
interface ILinearTerms
{
    /// <summary>
    /// Adds the adapters' terms for an input x <c>[rows, seq, in]</c> to a linear layer's output y
    /// <c>[rows, seq, out]</c>, in place; does nothing where the layer is not adapted.
    /// </summary>
    /// <param name="y">The layer's output.</param>
    /// <param name="x">The layer's input.</param>
    /// <param name="layer">Full name of the layer.</param>
    /// <param name="columns">The columns that x holds, where they are not all.</param>
    void AddTo(Tensor y, Tensor x, string layer, OutputColumns? columns);

    /// <summary>
    /// Puts the embeddings of adapters that have their own in the place of the model's, and adds the adapters' terms,
    /// for ids <c>[rows, seq]</c> and embeddings y <c>[rows, seq, hidden]</c>, in place.
    /// </summary>
    void AdaptEmbedding(Tensor y, Tensor ids);
}
