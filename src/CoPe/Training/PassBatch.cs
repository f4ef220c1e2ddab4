using CoPe.Adapters;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Training;

/// <summary>The tensors of one pass. Owns them.</summary>
sealed class PassBatch : IDisposable
{
    public PassBatch(IReadOnlyList<PlannedRow> rows, Device? device = null)
    {
        Rows = rows;
        var width = rows.Max(row => row.Row.Ids.Length);
        using var scope = NewDisposeScope();
        Tokens = Pack(rows, width, device);
        var labels = new List<long>();
        var sequences = new List<long>();
        for (var i = 0; i < rows.Count; i++)
        {
            var row = rows[i].Row;
            for (var k = 0; k < row.Labels.Length; k++)
            {
                labels.Add(row.Labels[k]);
                sequences.Add(IsPairs ? 2 * i + (k < row.FirstLabels ? 0 : 1) : i);
            }
        }
        Labels = Keep([.. labels], device);
        SequenceOfLabel = Keep([.. sequences], device);
        UserOfRow = Keep([.. rows.Select(row => (long)row.User)], device);
        Weights = tensor(rows.Select(row => (float)row.Weight).ToArray(), device: device).DetachFromDisposeScope();
    }

    /// <summary>The rows, in order.</summary>
    public IReadOnlyList<PlannedRow> Rows { get; }

    /// <summary>Whether rows hold two answers each.</summary>
    public bool IsPairs => Rows[0].Row.IsPair;

    /// <summary>Answers in the pass: one a row, or two.</summary>
    public int Sequences => IsPairs ? 2 * Rows.Count : Rows.Count;

    /// <summary>What the model reads; it wants the hidden states that predict labels, in their order.</summary>
    public TokenBatch Tokens { get; }

    /// <summary>Labels <c>[labels]</c> int64.</summary>
    public Tensor Labels { get; }

    /// <summary>
    /// Answer of each label <c>[labels]</c> int64: the row, or twice the row for its first answer and one more for its
    /// second.
    /// </summary>
    public Tensor SequenceOfLabel { get; }

    /// <summary><c>[rows]</c> int64.</summary>
    public Tensor UserOfRow { get; }

    /// <summary><c>[rows]</c> float32.</summary>
    public Tensor Weights { get; }

    /// <summary>Tokens without padding.</summary>
    public long TokenCount => Rows.Sum(row => (long)row.Row.Ids.Length);

    static TokenBatch Pack(IReadOnlyList<PlannedRow> rows, int width, Device? device)
    {
        var ids = new long[rows.Count * width];
        for (var i = 0; i < rows.Count; i++)
        {
            for (var k = 0; k < rows[i].Row.Ids.Length; k++)
            {
                ids[i * width + k] = rows[i].Row.Ids[k];
            }
        }

        var tokens = tensor(ids, [rows.Count, width], device: device);
        int[][]? wanted = rows.All(row => row.Row.LabelColumns.Length == width)
            ? null
            : [.. rows.Select(row => row.Row.LabelColumns)];
        if (!rows[0].Row.IsPair)
        {
            return new TokenBatch(tokens, wanted: wanted);
        }

        var from = Column(rows, row => row.BranchFrom, device);
        var at = Column(rows, row => row.BranchAt, device);
        var column = Scalars.Range(0, width, device ?? CPU);
        var positions = where(column >= at, (column - at).add(from, Scalars.One), column); // [rows, width]
        var query = column.view(1, width, 1);
        var key = column.view(1, 1, width);
        // [rows, width, width].
        var hidden = (query >= at.unsqueeze(2)) & (key >= from.unsqueeze(2)) & (key < at.unsqueeze(2));
        return new TokenBatch(
            tokens,
            positions,
            (key <= query) & ~hidden,
            [.. rows.Select(row => row.Row.LabelColumns)]
        );
    }

    static Tensor Column(IReadOnlyList<PlannedRow> rows, Func<TrainingRow, int> value, Device? device) =>
        tensor(rows.Select(row => (long)value(row.Row)).ToArray(), [rows.Count, 1], device: device);

    static Tensor Keep(long[] values, Device? device) => tensor(values, device: device).DetachFromDisposeScope();

    public void Dispose()
    {
        Tokens.Dispose();
        Labels.Dispose();
        SequenceOfLabel.Dispose();
        UserOfRow.Dispose();
        Weights.Dispose();
    }
}

/// <summary>Splits the rows of a step into passes.</summary>
static class PassPlanner
{
    /// <summary>
    /// Passes as <see cref="PassSplitter"/> cuts them: longest rows first, users in order within a pass.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<PlannedRow>> Split(
        IEnumerable<PlannedRow> rows,
        int maxTokens,
        int workers = 1
    )
    {
        var sorted = rows.OrderByDescending(Width).ThenBy(row => row.User).ThenBy(row => row.Example).ToArray();
        var passes = new List<IReadOnlyList<PlannedRow>>();
        var first = 0;
        foreach (var count in PassSplitter.Split([.. sorted.Select(Width)], maxTokens, workers))
        {
            passes.Add([.. sorted[first..(first + count)].OrderBy(row => row.User).ThenBy(row => row.Example)]);
            first += count;
        }

        return passes;
    }

    static int Width(PlannedRow row) => row.Row.Ids.Length;
}

/// <summary>A pass through the model that ends in logits at the labels only: prompts need none.</summary>
static class LabelLogits
{
    /// <summary>
    /// Logits <c>[labels, vocab]</c> float32, the caller's. With <paramref name="recompute"/> layers are computed again
    /// for their gradients; the caller's scope then holds what they need.
    /// </summary>
    public static Tensor Compute(CausalLm model, PassBatch batch, AdapterRows? adapters, bool recompute = false)
    {
        if (recompute)
        {
            return AtLabels(model, model.ForwardCheckpointed(batch.Tokens, adapters));
        }

        using var scope = NewDisposeScope();
        return AtLabels(model, model.Forward(batch.Tokens, adapters)).MoveToOuterDisposeScope();
    }

    static Tensor AtLabels(CausalLm model, Tensor hidden)
    {
        using var scope = NewDisposeScope();
        return model.ComputeLogits(hidden.reshape(-1, model.Config.HiddenSize)).MoveToOuterDisposeScope();
    }
}
