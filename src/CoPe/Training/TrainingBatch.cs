using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Scoring;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>The rows of one training pass as tensors, with their users and weights. Owns the tensors.</summary>
sealed class TrainingBatch : IDisposable
{
    public TrainingBatch(IReadOnlyList<PlannedRow> rows, Device device)
    {
        Rows = rows;
        Tokens = new PackedBatch([.. rows.Select(row => row.Row.Prompt)], device, omitFullSelection: true);
        UserOfRow = tensor([.. rows.Select(row => (long)row.User)], device: device).DetachFromDisposeScope();
        Weights = tensor([.. rows.Select(row => (float)row.Weight)], device: device).DetachFromDisposeScope();
    }

    /// <summary>The rows, in order.</summary>
    public IReadOnlyList<PlannedRow> Rows { get; }

    /// <summary>What the model reads, and the labels it is to predict.</summary>
    public PackedBatch Tokens { get; }

    /// <summary>Index of each row's user <c>[rows]</c> int64.</summary>
    public Tensor UserOfRow { get; }

    /// <summary>What each row's loss is multiplied by <c>[rows]</c> float32.</summary>
    public Tensor Weights { get; }

    /// <summary>
    /// Negative log-likelihood of each label <c>[labels]</c> float32, owned by the caller.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="adapters">The adapters of the rows; null for none.</param>
    /// <param name="recompute">
    /// Computes layers again for their gradients; the caller's scope then holds what they need.
    /// </param>
    public Tensor ComputeLabelLosses(CausalLm model, AdapterRows? adapters, bool recompute = false)
    {
        if (recompute)
        {
            return ComputeLosses(model, model.ForwardCheckpointed(Tokens.Tokens, adapters));
        }
        using var scope = NewDisposeScope();
        return ComputeLosses(model, model.Forward(Tokens.Tokens, adapters)).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Splits rows into passes as <see cref="PassSplitter"/> does: longest rows first, users in order within a pass.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<PlannedRow>> SplitIntoPasses(
        IEnumerable<PlannedRow> rows,
        int maxTokens,
        int workers = 1
    )
    {
        var longestFirst = rows.OrderByDescending(row => row.Row.Prompt.Length)
            .ThenBy(row => row.User)
            .ThenBy(row => row.Example)
            .ToList();
        var passes = PassSplitter.SplitRows(longestFirst, row => row.Row.Prompt.Length, maxTokens, workers);
        return [.. passes.Select(pass => pass.OrderBy(row => row.User).ThenBy(row => row.Example).ToList())];
    }

    Tensor ComputeLosses(CausalLm model, Tensor hidden)
    {
        using var scope = NewDisposeScope();
        var ofLabels = hidden.reshape(-1, model.Config.HiddenSize); // [labels, hidden]
        return HeadLoss.Compute(model, ofLabels, Tokens.Labels).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        Tokens.Dispose();
        UserOfRow.Dispose();
        Weights.Dispose();
    }
}
