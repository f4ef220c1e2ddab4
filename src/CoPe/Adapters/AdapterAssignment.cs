using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>
/// One bank's part in <see cref="AdapterRows"/>: runs of rows that wear the same adapter are folded into groups of equal size, so that a pass is one batched product over groups
/// rather than over rows; where all worn rows share one adapter it is a plain product.
/// </summary>
sealed class AdapterAssignment : IDisposable
{
    readonly int[] groups; // adapter of each group, -1 none
    readonly Dictionary<string, (Tensor A, Tensor B)> frozen = new(StringComparer.Ordinal);
    (int Version, ScalarType Dtype) frozenOf;

    /// <summary>All rows, however many, wear one adapter.</summary>
    public AdapterAssignment(AdapterBank bank, int index) => (Bank, groups) = (bank, [index]);

    public AdapterAssignment(AdapterBank bank, IReadOnlyList<int> indexOfRow)
    {
        Bank = bank;
        IndexOfRow = [.. indexOfRow];
        First = Array.FindIndex(IndexOfRow, i => i >= 0);
        if (First < 0) (First, groups) = (0, []);
        else
        {
            var worn = IndexOfRow[First..(Array.FindLastIndex(IndexOfRow, i => i >= 0) + 1)];
            var size = GroupSize(worn);
            groups = [.. worn.Where((_, i) => i % size == 0)];
            WornRows = worn.Length;
        }
    }

    public AdapterBank Bank { get; }

    /// <summary>Adapter of each row; null: all rows wear the same.</summary>
    public int[]? IndexOfRow { get; }

    /// <summary>First row that wears an adapter.</summary>
    public int First { get; }

    /// <summary>Rows from the first that wears one to the last.</summary>
    public int WornRows { get; }

    IReadOnlyList<long>? RowSeeds { get; init; }

    /// <summary>Adapter of a row, -1 for none.</summary>
    public int AdapterOf(int row) => IndexOfRow is null ? groups[0] : IndexOfRow[row];

    public bool IsEmpty => groups.Length == 0;

    public AdapterAssignment WithDropout(IReadOnlyList<long> rowSeeds) =>
        IndexOfRow is null ? new AdapterAssignment(Bank, groups[0]) { RowSeeds = rowSeeds } : new AdapterAssignment(Bank, IndexOfRow) { RowSeeds = rowSeeds };

    /// <summary>Dropout of a pass's worn rows; null for none.</summary>
    public LoraDropout? Dropout(int rowCount)
    {
        if (RowSeeds is null || Bank.Config.Dropout == 0) return null;
        if (RowSeeds.Count != rowCount) throw new ArgumentException($"{RowSeeds.Count} seeds of dropout were given for {rowCount} rows; expected one a row.", nameof(rowCount));
        return new(Bank, IndexOfRow is null ? [.. RowSeeds] : [.. RowSeeds.Skip(First).Take(WornRows)]);
    }

    /// <summary>A <c>[groups, r, in]</c> and B <c>[groups, out, r]</c> of a layer in the pass's dtype; they belong to the scope in force or, where frozen, to this.</summary>
    public (Tensor A, Tensor B) Factors(string layer, ScalarType dtype)
    {
        var pair = Bank.Pairs[layer];
        if (pair.A.requires_grad || pair.B.requires_grad || is_grad_enabled()) return (Gather(pair.A, dtype), Gather(pair.B, dtype));
        if (frozenOf != (Bank.Version, dtype)) Thaw();
        frozenOf = (Bank.Version, dtype);
        if (frozen.TryGetValue(layer, out var kept)) return kept;
        return frozen[layer] = (Keep(Gather(pair.A, dtype)), Keep(Gather(pair.B, dtype)));
    }

    Tensor Gather(Tensor factor, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        return Selected(factor).to(dtype).MoveToOuterDisposeScope();
    }

    Tensor Selected(Tensor factor)
    {
        if (groups.Length == 1) return factor.narrow(0, groups[0], 1);
        if (groups.Length == Bank.Count && groups.Select((g, i) => g == i).All(same => same)) return factor.alias();
        // Rows that wear nothing wear an adapter of zeros.
        var source = groups.Contains(-1) ? cat([factor, zeros([1, factor.shape[1], factor.shape[2]], dtype: factor.dtype, device: factor.device)], 0) : factor;
        return source.index_select(0, tensor(groups.Select(g => (long)(g < 0 ? Bank.Count : g)).ToArray(), device: factor.device));
    }

    static Tensor Keep(Tensor tensor) => tensor.DetachFromDisposeScope();

    static int GroupSize(int[] worn)
    {
        var (size, run) = (0, 1);
        for (var i = 1; i <= worn.Length; i++, run++)
        {
            if (i < worn.Length && worn[i] == worn[i - 1]) continue;
            size = (int)System.Numerics.BigInteger.GreatestCommonDivisor(size, run);
            run = 0;
        }
        return size;
    }

    void Thaw()
    {
        foreach (var (a, b) in frozen.Values)
        {
            a.Dispose();
            b.Dispose();
        }
        frozen.Clear();
    }

    public void Dispose() => Thaw();
}
