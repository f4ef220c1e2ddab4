using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Scoring;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>The rows of one training pass as tensors, with their users and weights. Owns the tensors.</summary>
sealed class TrainingBatch : IDisposable
{
    readonly PrefixLease? _prompts;

    /// <summary>The tensors of a pass.</summary>
    /// <param name="rows">Its rows; either all have a prefix or none.</param>
    /// <param name="device">Where the model computes.</param>
    /// <param name="prompts">Where prefixes are taken from; null where no row has one.</param>
    public TrainingBatch(IReadOnlyList<PlannedRow> rows, Device device, PrefixSource? prompts = null)
    {
        Rows = rows;
        _prompts = prompts?.Rent([.. rows.Select(row => row.Row.Prefix)]);
        try
        {
            Tokens = new PackedBatch(
                [.. rows.Select(row => row.Row.Prompt)],
                device,
                omitFullSelection: true,
                _prompts?.Columns
            );
        }
        catch
        {
            _prompts?.Dispose();
            throw;
        }

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
            return ComputeLosses(model, model.ForwardCheckpointed(Tokens.Tokens, adapters), adapters);
        }
        using var scope = NewDisposeScope();
        return ComputeLosses(model, model.Forward(Tokens.Tokens, adapters), adapters).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Splits rows into passes as <see cref="PassSplitter"/> does: longest rows first, users in order within a pass;
    /// rows with a prefix share none with others.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<PlannedRow>> SplitIntoPasses(
        IEnumerable<PlannedRow> rows,
        int maxTokens,
        int workers = 1
    )
    {
        var passes = rows.OrderByDescending(row => row.Row.PassLength)
            .ThenBy(row => row.User)
            .ThenBy(row => row.Example)
            .GroupBy(row => row.Row.Prefix is not null)
            .SelectMany(group => PassSplitter.SplitRows([.. group], row => row.Row.PassLength, maxTokens, workers));
        return [.. passes.Select(pass => pass.OrderBy(row => row.User).ThenBy(row => row.Example).ToList())];
    }

    Tensor ComputeLosses(CausalLm model, Tensor hidden, AdapterRows? adapters)
    {
        using var scope = NewDisposeScope();
        var ofLabels = hidden.reshape(-1, model.Config.HiddenSize); // [labels, hidden]
        var logits = model.ComputeNarrowLogits(ofLabels, adapters, Tokens.RowOfLabel);
        return SftLoss.ComputePerToken(logits, Tokens.Labels).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        Tokens.Dispose();
        UserOfRow.Dispose();
        Weights.Dispose();
        _prompts?.Dispose();
    }
}
