using CoPe.Kernels.Torch;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>
/// The adapters of each row of a pass. A row may have several, one per level of the stack (the task's, then the
/// user's), or none: then it computes the base model. The adapter is an argument of the pass, never a mode of the
/// model. Banks stay their owners' and must outlive this.
/// </summary>
public sealed class AdapterRows : IRowAdapters, IDisposable
{
    readonly IReadOnlyList<AdapterAssignment> _stack; // lowest first

    AdapterRows(IReadOnlyList<AdapterAssignment> stack) => _stack = stack;

    /// <summary>Every row has adapter <paramref name="index"/> of the bank.</summary>
    /// <param name="bank">The adapters.</param>
    /// <param name="index">Which of them.</param>
    /// <returns>The rows' adapters, owned by the caller.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The bank has no such adapter.</exception>
    public static AdapterRows All(AdapterBank bank, int index = 0)
    {
        bank.ThrowIfOutOfRange(index);
        return new AdapterRows([new AdapterAssignment(bank, index)]);
    }

    /// <summary>Row i has adapter <paramref name="indexOfRow"/>[i] of the bank; -1 is none.</summary>
    /// <param name="bank">The adapters.</param>
    /// <param name="indexOfRow">For each row of the pass, which of them.</param>
    /// <returns>The rows' adapters, owned by the caller.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The bank has no such adapter.</exception>
    public static AdapterRows ForRows(AdapterBank bank, IReadOnlyList<int> indexOfRow)
    {
        foreach (var index in indexOfRow.Where(index => index != -1))
        {
            bank.ThrowIfOutOfRange(index);
        }

        return new AdapterRows([new AdapterAssignment(bank, indexOfRow)]);
    }

    /// <summary>
    /// These, and on top of them those of <paramref name="upper"/> (for example the task's below, the users' above).
    /// </summary>
    /// <param name="upper">The upper level.</param>
    /// <returns>Both, which it owns from now on; itself owned by the caller.</returns>
    public AdapterRows With(AdapterRows upper) => new([.. _stack, .. upper._stack]);

    /// <summary>
    /// The same with dropout on the adapters' inputs, for training, at the bank's <see cref="LoraConfig.Dropout"/>: the
    /// mask of row i depends on rowSeeds[i] alone, whichever rows share the pass.
    /// </summary>
    /// <param name="rowSeeds">A seed for each row.</param>
    /// <returns>The rows' adapters, which own what this owned; themselves owned by the caller.</returns>
    public AdapterRows WithDropout(IReadOnlyList<long> rowSeeds) =>
        new([.. _stack.Select(assignment => assignment.WithDropout(rowSeeds))]);

    ILinearTerms IRowAdapters.StartPass(TokenBatch batch, ScalarType dtype) => new AdapterPass(_stack, batch, dtype);

    void IRowAdapters.AdaptLogits(Tensor logits, Tensor hidden, IReadOnlyList<int>? rows)
    {
        var ofHead = _stack.Where(level => AdaptsHead(level.Bank)).ToList();
        if (ofHead.Count == 0)
        {
            return;
        }

        // Each hidden state is a row of its own, of one column.
        using var scope = NewDisposeScope();
        var selected = rows is null ? [] : ofHead.ConvertAll(level => level.SelectRows(rows));
        try
        {
            var ids = zeros([hidden.shape[0], 1], dtype: ScalarType.Int64, device: hidden.device);
            using var batch = new TokenBatch(ids);
            var numbers = rows is null ? null : NumberWithinRows(rows);
            var pass = new AdapterPass(rows is null ? ofHead : selected, batch, hidden.dtype, numbers);
            pass.ReplaceLogits(logits, hidden);
            pass.AddTo(logits.unsqueeze(1), hidden.unsqueeze(1), WeightLayout.HeadLayer, columns: null);
        }
        finally
        {
            selected.ForEach(level => level.Dispose());
        }
    }

    static bool AdaptsHead(AdapterBank bank) =>
        bank.Saved?.Head is not null || bank.IndexOfLayer(WeightLayout.HeadLayer) >= 0;

    /// <summary>How many of the same row stand before each, so that each draws a mask of its own.</summary>
    static int[] NumberWithinRows(IReadOnlyList<int> rows)
    {
        var counts = new Dictionary<int, int>();
        return [.. rows.Select(row => counts[row] = counts.GetValueOrDefault(row, -1) + 1)];
    }

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
/// One level of <see cref="AdapterRows"/>: runs of rows with the same adapter are folded into groups of equal size, so
/// that a pass is one batched product over groups rather than over rows; where all adapted rows share one adapter it is
/// a plain product.
/// </summary>
sealed class AdapterAssignment : IDisposable
{
    readonly int[] _groups; // adapter of each group, -1 none
    readonly Dictionary<string, (Tensor A, Tensor B)> _factorCache = new(StringComparer.Ordinal);
    (int Version, ScalarType Dtype) _factorCacheKey;

    /// <summary>All rows, however many, have one adapter.</summary>
    public AdapterAssignment(AdapterBank bank, int index)
    {
        Bank = bank;
        _groups = [index];
    }

    /// <summary>Row i has adapter <paramref name="indexOfRow"/>[i]; -1 is none.</summary>
    public AdapterAssignment(AdapterBank bank, IReadOnlyList<int> indexOfRow)
    {
        Bank = bank;
        IndexOfRow = [.. indexOfRow];
        var first = Array.FindIndex(IndexOfRow, index => index >= 0);
        if (first < 0)
        {
            _groups = [];
            return;
        }

        var last = Array.FindLastIndex(IndexOfRow, index => index >= 0);
        var adapted = IndexOfRow[first..(last + 1)];
        var groupSize = FindGroupSize(adapted);
        _groups = [.. adapted.Where((_, i) => i % groupSize == 0)];
        FirstAdaptedRow = first;
        AdaptedRowCount = adapted.Length;
    }

    public AdapterBank Bank { get; }

    /// <summary>Adapter of each row; null: all rows have the same.</summary>
    public int[]? IndexOfRow { get; }

    /// <summary>First row that has an adapter.</summary>
    public int FirstAdaptedRow { get; }

    /// <summary>Rows from the first that has one to the last.</summary>
    public int AdaptedRowCount { get; }

    /// <summary>No row has an adapter.</summary>
    public bool IsEmpty => _groups.Length == 0;

    IReadOnlyList<long>? RowSeeds { get; init; }

    /// <summary>Runs of a pass's rows that have the same adapter, without rows that have none.</summary>
    public IEnumerable<RowGroup> ListGroups(long rowCount)
    {
        var rowsPerGroup = (IndexOfRow is null ? rowCount : AdaptedRowCount) / _groups.Length;
        return _groups
            .Select((adapter, i) => new RowGroup(adapter, FirstAdaptedRow + i * rowsPerGroup, rowsPerGroup))
            .Where(group => group.Adapter >= 0);
    }

    /// <summary>Adapters of a number of rows, -1 for none.</summary>
    public IReadOnlyList<int> ListAdapters(int rowCount) => IndexOfRow ?? [.. Enumerable.Repeat(_groups[0], rowCount)];

    /// <summary>Adapter of a row, -1 for none.</summary>
    public int GetAdapter(int row) => IndexOfRow is null ? _groups[0] : IndexOfRow[row];

    public AdapterAssignment WithDropout(IReadOnlyList<long> rowSeeds)
    {
        return IndexOfRow is null
            ? new AdapterAssignment(Bank, _groups[0]) { RowSeeds = rowSeeds }
            : new AdapterAssignment(Bank, IndexOfRow) { RowSeeds = rowSeeds };
    }

    /// <summary>The same for a pass whose row i is row <paramref name="rows"/>[i] of this one's.</summary>
    public AdapterAssignment SelectRows(IReadOnlyList<int> rows)
    {
        var seeds = RowSeeds is null ? null : rows.Select(row => RowSeeds[row]).ToList();
        return IndexOfRow is null
            ? new AdapterAssignment(Bank, _groups[0]) { RowSeeds = seeds }
            : new AdapterAssignment(Bank, [.. rows.Select(row => IndexOfRow[row])]) { RowSeeds = seeds };
    }

    /// <summary>Dropout of a pass's adapted rows; null for none.</summary>
    /// <param name="rowCount">Rows of the pass.</param>
    /// <param name="firstColumns">Column of its text with which each row begins; null: the first.</param>
    public LoraDropout? CreateDropout(int rowCount, IReadOnlyList<int>? firstColumns)
    {
        if (RowSeeds is null || Bank.Config.Dropout == 0)
        {
            return null;
        }

        if (RowSeeds.Count != rowCount)
        {
            throw new ArgumentException(
                $"{RowSeeds.Count} dropout seeds were given for {rowCount} rows; expected one a row.",
                nameof(rowCount)
            );
        }

        return new LoraDropout(
            Bank,
            SelectAdapted(RowSeeds),
            firstColumns is null ? null : SelectAdapted(firstColumns)
        );

        T[] SelectAdapted<T>(IReadOnlyList<T> rows) =>
            IndexOfRow is null ? [.. rows] : [.. rows.Skip(FirstAdaptedRow).Take(AdaptedRowCount)];
    }

    /// <summary>
    /// A <c>[groups, r, in]</c> and B <c>[groups, out, r]</c> of a layer in the pass's dtype. They belong to the
    /// dispose scope in force or, where no gradient is needed and they are cached, to this.
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
            _factorCacheKey = (Bank.Version, dtype);
        }

        if (!_factorCache.TryGetValue(layer, out var factors))
        {
            factors = (Gather(pair.A, dtype), Gather(pair.B, dtype));
            _factorCache[layer] = factors;
            factors.A.DetachFromDisposeScope();
            factors.B.DetachFromDisposeScope();
        }

        return factors;
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

        var isWholeBank = _groups.SequenceEqual(Enumerable.Range(0, Bank.Count));
        if (isWholeBank)
        {
            return factor.alias();
        }

        long[] indices = [.. _groups.Select(group => Math.Max(group, 0))];
        var selected = factor.index_select(0, tensor(indices, device: factor.device));
        if (!_groups.Contains(-1))
        {
            return selected;
        }

        // Rows without an adapter get one of zeros.
        bool[] isNone = [.. _groups.Select(group => group < 0)];
        return selected.masked_fill(tensor(isNone, [isNone.Length, 1, 1], device: factor.device), Scalars.Of(0));
    }

    /// <summary>Largest size of which every run of equal adapters is a multiple.</summary>
    static int FindGroupSize(int[] adapters)
    {
        var size = 0;
        var run = 1;
        for (var i = 1; i <= adapters.Length; i++)
        {
            if (i < adapters.Length && adapters[i] == adapters[i - 1])
            {
                run++;
                continue;
            }

            size = (int)System.Numerics.BigInteger.GreatestCommonDivisor(size, run);
            run = 1;
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

/// <summary>Rows of a pass that follow each other and have the same adapter.</summary>
/// <param name="Adapter">Which adapter of the bank.</param>
/// <param name="First">The first row.</param>
/// <param name="Count">How many rows.</param>
readonly record struct RowGroup(int Adapter, long First, long Count);
