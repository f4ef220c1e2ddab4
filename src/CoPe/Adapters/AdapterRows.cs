using CoPe.Kernels.Fused;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>
/// Which adapters each row of a pass wears. A row may wear several, one per layer of the stack (the task's, then the
/// user's), or none: then it is the amateur's or the base's row.
/// The adapter is an argument of the pass, never a mode of the model. Banks stay their owners'; they must outlive this.
/// </summary>
public sealed class AdapterRows : IDisposable
{
    readonly IReadOnlyList<AdapterAssignment> _stack;

    AdapterRows(IReadOnlyList<AdapterAssignment> stack) => _stack = stack;

    /// <summary>Lowest first.</summary>
    internal IReadOnlyList<AdapterAssignment> Stack => _stack;

    /// <summary>Every row wears adapter <paramref name="index"/> of the bank.</summary>
    public static AdapterRows All(AdapterBank bank, int index = 0)
    {
        bank.ThrowIfOutOfRange(index);
        return new AdapterRows([new AdapterAssignment(bank, index)]);
    }

    /// <summary>Row i wears adapter <paramref name="indexOfRow"/>[i] of the bank; -1 is none.</summary>
    public static AdapterRows ForRows(AdapterBank bank, IReadOnlyList<int> indexOfRow)
    {
        foreach (var index in indexOfRow)
        {
            if (index != -1)
            {
                bank.ThrowIfOutOfRange(index);
            }
        }

        return new AdapterRows([new AdapterAssignment(bank, indexOfRow)]);
    }

    /// <summary>
    /// These, and on top of them those of <paramref name="upper"/> (for example the task's below, the users' above).
    /// Both are then owned by the result.
    /// </summary>
    public AdapterRows With(AdapterRows upper) => new([.. _stack, .. upper._stack]);

    /// <summary>
    /// The same with inputs of the adapters dropped while training, with the bank's <see cref="LoraConfig.Dropout"/>:
    /// row i drops by
    /// <paramref name="rowSeeds"/>[i] alone, whichever rows share the pass. The result owns what this owned.
    /// </summary>
    public AdapterRows WithDropout(IReadOnlyList<long> rowSeeds) =>
        new([.. _stack.Select(a => a.WithDropout(rowSeeds))]);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var assignment in _stack)
        {
            assignment.Dispose();
        }
    }
}

/// <summary>
/// One bank's part in <see cref="AdapterRows"/>: runs of rows that wear the same adapter are folded into groups of
/// equal size, so that a pass is one batched product over groups
/// rather than over rows; where all worn rows share one adapter it is a plain product.
/// </summary>
sealed class AdapterAssignment : IDisposable
{
    readonly int[] _groups; // adapter of each group, -1 none
    readonly Dictionary<string, (Tensor A, Tensor B)> _factorCache = new(StringComparer.Ordinal);
    (int Version, ScalarType Dtype) _factorCacheKey;

    /// <summary>All rows, however many, wear one adapter.</summary>
    public AdapterAssignment(AdapterBank bank, int index) => (Bank, _groups) = (bank, [index]);

    public AdapterAssignment(AdapterBank bank, IReadOnlyList<int> indexOfRow)
    {
        Bank = bank;
        IndexOfRow = [.. indexOfRow];
        FirstAdaptedRow = Array.FindIndex(IndexOfRow, i => i >= 0);
        if (FirstAdaptedRow < 0)
        {
            (FirstAdaptedRow, _groups) = (0, []);
        }
        else
        {
            var worn = IndexOfRow[FirstAdaptedRow..(Array.FindLastIndex(IndexOfRow, i => i >= 0) + 1)];
            var size = FindGroupSize(worn);
            _groups = [.. worn.Where((_, i) => i % size == 0)];
            AdaptedRowCount = worn.Length;
        }
    }

    public AdapterBank Bank { get; }

    /// <summary>Adapter of each row; null: all rows wear the same.</summary>
    public int[]? IndexOfRow { get; }

    /// <summary>First row that wears an adapter.</summary>
    public int FirstAdaptedRow { get; }

    /// <summary>Rows from the first that wears one to the last.</summary>
    public int AdaptedRowCount { get; }

    IReadOnlyList<long>? RowSeeds { get; init; }

    /// <summary>Adapter of a row, -1 for none.</summary>
    public int GetAdapter(int row) => IndexOfRow is null ? _groups[0] : IndexOfRow[row];

    public bool IsEmpty => _groups.Length == 0;

    public AdapterAssignment WithDropout(IReadOnlyList<long> rowSeeds) =>
        IndexOfRow is null
            ? new AdapterAssignment(Bank, _groups[0]) { RowSeeds = rowSeeds }
            : new AdapterAssignment(Bank, IndexOfRow) { RowSeeds = rowSeeds };

    /// <summary>Dropout of a pass's worn rows; null for none.</summary>
    public LoraDropout? CreateDropout(int rowCount)
    {
        if (RowSeeds is null || Bank.Config.Dropout == 0)
        {
            return null;
        }

        if (RowSeeds.Count != rowCount)
        {
            throw new ArgumentException(
                $"{RowSeeds.Count} seeds of dropout were given for {rowCount} rows; expected one a row.",
                nameof(rowCount)
            );
        }

        return new(
            Bank,
            IndexOfRow is null ? [.. RowSeeds] : [.. RowSeeds.Skip(FirstAdaptedRow).Take(AdaptedRowCount)]
        );
    }

    /// <summary>
    /// A <c>[groups, r, in]</c> and B <c>[groups, out, r]</c> of a layer in the pass's dtype; they belong to the scope
    /// in force or, where frozen, to this.
    /// </summary>
    public (Tensor A, Tensor B) GetFactors(string layer, ScalarType dtype)
    {
        var pair = Bank.Pairs[layer];
        if (pair.A.requires_grad || pair.B.requires_grad || is_grad_enabled())
        {
            return (Gather(pair.A, dtype), Gather(pair.B, dtype));
        }

        if (_factorCacheKey != (Bank.Version, dtype))
        {
            ClearFactorCache();
        }

        _factorCacheKey = (Bank.Version, dtype);
        if (_factorCache.TryGetValue(layer, out var kept))
        {
            return kept;
        }

        return _factorCache[layer] = (Keep(Gather(pair.A, dtype)), Keep(Gather(pair.B, dtype)));
    }

    Tensor Gather(Tensor factor, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        return SelectGroups(factor).to(dtype).MoveToOuterDisposeScope();
    }

    Tensor SelectGroups(Tensor factor)
    {
        if (_groups.Length == 1)
        {
            return factor.narrow(0, _groups[0], 1);
        }

        if (_groups.Length == Bank.Count && _groups.Select((g, i) => g == i).All(same => same))
        {
            return factor.alias();
        }
        // Rows that wear nothing wear an adapter of zeros.
        var source = _groups.Contains(-1)
            ? cat([factor, zeros([1, factor.shape[1], factor.shape[2]], dtype: factor.dtype, device: factor.device)], 0)
            : factor;
        return source.index_select(
            0,
            tensor(_groups.Select(g => (long)(g < 0 ? Bank.Count : g)).ToArray(), device: factor.device)
        );
    }

    static Tensor Keep(Tensor tensor) => tensor.DetachFromDisposeScope();

    static int FindGroupSize(int[] worn)
    {
        var (size, run) = (0, 1);
        for (var i = 1; i <= worn.Length; i++, run++)
        {
            if (i < worn.Length && worn[i] == worn[i - 1])
            {
                continue;
            }

            size = (int)System.Numerics.BigInteger.GreatestCommonDivisor(size, run);
            run = 0;
        }
        return size;
    }

    void ClearFactorCache()
    {
        foreach (var (a, b) in _factorCache.Values)
        {
            a.Dispose();
            b.Dispose();
        }
        _factorCache.Clear();
    }

    public void Dispose() => ClearFactorCache();
}

/// <summary>
/// The adapters of one forward pass: adds each row's low-rank terms to a linear layer's output (Hu et al., 2021,
/// equation 3).
/// </summary>
sealed class AdapterPass
{
    readonly ScalarType _dtype;
    readonly List<(AdapterAssignment Assignment, LoraDropout? Dropout)> _assignments = [];

    public AdapterPass(AdapterRows rows, int rowCount, ScalarType dtype)
    {
        _dtype = dtype;
        foreach (var assignment in rows.Stack)
        {
            if (assignment.IndexOfRow is { } index && index.Length != rowCount)
            {
                throw new ArgumentException(
                    $"Adapters are assigned to {index.Length} rows, but the batch has {rowCount}.",
                    nameof(rows)
                );
            }

            if (!assignment.IsEmpty)
            {
                _assignments.Add((assignment, assignment.CreateDropout(rowCount)));
            }
        }
    }

    /// <summary>
    /// <c>y += scaling * (x A^T) B^T</c> row by row for x <c>[rows, seq, in]</c>, y <c>[rows, seq, out]</c>, if the
    /// layer is adapted.
    /// </summary>
    public void AddTo(Tensor y, Tensor x, string layer)
    {
        var adapted = _assignments.FindAll(part => part.Assignment.Bank.IndexOfLayer(layer) >= 0);
        if (adapted.Count == 0)
        {
            return;
        }

        if (
            DecodeLora.Supports(x, y)
            && adapted.TrueForAll(part =>
                part.Dropout is null && part.Assignment.Bank.Pairs[layer].DecodeFactors is not null
            )
        )
        {
            DecodeLora.AddTo(
                y,
                x,
                adapted.ConvertAll(part => new DecodeLora.Term(
                    part.Assignment.Bank.Pairs[layer].DecodeFactors!,
                    part.Assignment.GetAdapter,
                    part.Assignment.Bank.Config.Scaling
                ))
            );
            return;
        }
        foreach (var (assignment, dropout) in adapted)
        {
            using var scope = NewDisposeScope();
            var (first, rows) = assignment.IndexOfRow is null
                ? (0, x.shape[0])
                : (assignment.FirstAdaptedRow, assignment.AdaptedRowCount);
            var all = rows == x.shape[0];
            var input = all ? x : x.narrow(0, first, rows);
            if (dropout is not null)
            {
                input = dropout.Apply(input, layer);
            }

            var (a, b) = assignment.GetFactors(layer, _dtype);
            var delta = MultiplyFactors(input, a, b).view(rows, y.shape[1], y.shape[2]);
            (all ? y : y.narrow(0, first, rows)).add_(delta, Scalars.Of(assignment.Bank.Config.Scaling));
        }
    }

    static Tensor MultiplyFactors(Tensor x, Tensor a, Tensor b)
    {
        var groups = a.shape[0];
        if (groups == 1)
        {
            // [rows * seq, out].
            return MatrixProduct.Multiply(MatrixProduct.Multiply(x.reshape(-1, x.shape[2]), a[0]), b[0]);
        }

        // [groups, rows / groups * seq, out].
        return MatrixProduct.Multiply(MatrixProduct.Multiply(x.reshape(groups, -1, x.shape[2]), a), b);
    }
}

/// <summary>
/// Dropout on an adapter's inputs while it trains. Each row has a seed and draws a mask per layer from it, whatever
/// other rows are in the pass and however far it is padded.
/// </summary>
/// <param name="bank">The adapters.</param>
/// <param name="rowSeeds">Seed of each row that wears one.</param>
sealed class LoraDropout(AdapterBank bank, long[] rowSeeds)
{
    /// <summary>
    /// <c>x * mask / (1 - p)</c>, mask of 0 with probability p, for the worn rows x <c>[rows, seq, in]</c>.
    /// </summary>
    public Tensor Apply(Tensor x, string layer)
    {
        var ordinal = (ulong)bank.IndexOfLayer(layer);
        ulong[] seeds = [.. rowSeeds.Select(seed => unchecked((ulong)seed * 1_000_003 + ordinal))];
        using var mask = DropoutMask.Create(seeds, (int)x.shape[1], (int)x.shape[2], bank.Config.Dropout, x);
        return x.mul(mask);
    }
}
