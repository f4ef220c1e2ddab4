using CoPe.Kernels.Fused;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>
/// One level of <see cref="AdapterRows"/>: runs of rows with the same adapter are folded into groups of equal size, so
/// that a pass is one batched product over groups rather than over rows; where all adapted rows share one adapter it is
/// a plain product. The banks are of one shape, their adapters numbered through.
/// </summary>
sealed class AdapterAssignment : IDisposable
{
    readonly int[] _groups; // adapter of each group, -1 none
    readonly Dictionary<string, (Tensor A, Tensor B)> _factorCache = new(StringComparer.Ordinal);
    readonly AdapterBankList _banks;
    (int Version, ScalarType Dtype) _factorCacheKey;

    /// <summary>All rows, however many, have one adapter.</summary>
    public AdapterAssignment(AdapterBankList banks, int index)
    {
        _banks = banks;
        _groups = [index];
    }

    /// <summary>Row i has adapter <paramref name="indexOfRow"/>[i]; -1 is none.</summary>
    public AdapterAssignment(AdapterBankList banks, IReadOnlyList<int> indexOfRow)
    {
        _banks = banks;
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

    /// <summary>The first bank, whose shape is that of all.</summary>
    public AdapterBank Bank => _banks.First;

    /// <summary>Whether no adapter acts on the answer alone.</summary>
    public bool ActsEverywhere => _banks.ActsEverywhere;

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

    /// <summary>The shape of an adapter, and the positions that it acts on.</summary>
    public LoraConfig GetConfig(int adapter)
    {
        var (bank, index) = _banks[adapter];
        return bank.GetConfig(index);
    }

    /// <summary>
    /// The kernel's term of a layer, which finds each row's factors in place; null where it does not apply to them.
    /// </summary>
    public DecodeLora.Term? CreateTerm(string layer)
    {
        var pairs = _banks.Banks.Select(bank => bank.Pairs[layer].DecodeFactors).ToList();
        return pairs.Contains(null) ? null : new(FindFactors, pairs[0]!, Bank.GetScaling(layer));

        (DecodeLora.Factors Factors, int Index)? FindFactors(int row)
        {
            var adapter = GetAdapter(row);
            if (adapter < 0)
            {
                return null;
            }

            var (bank, index) = _banks.Locate(adapter);
            return (pairs[bank]!, index);
        }
    }

    public AdapterAssignment WithDropout(IReadOnlyList<long> rowSeeds)
    {
        return IndexOfRow is null
            ? new AdapterAssignment(_banks, _groups[0]) { RowSeeds = rowSeeds }
            : new AdapterAssignment(_banks, IndexOfRow) { RowSeeds = rowSeeds };
    }

    /// <summary>The same for a pass whose row i is row <paramref name="rows"/>[i] of this one's.</summary>
    public AdapterAssignment SelectRows(IReadOnlyList<int> rows)
    {
        var seeds = RowSeeds is null ? null : rows.Select(row => RowSeeds[row]).ToList();
        return IndexOfRow is null
            ? new AdapterAssignment(_banks, _groups[0]) { RowSeeds = seeds }
            : new AdapterAssignment(_banks, [.. rows.Select(row => IndexOfRow[row])]) { RowSeeds = seeds };
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
        if (is_grad_enabled() || _banks.RequireGrad(layer))
        {
            return GatherBoth();
        }

        var key = (_banks.Version, dtype);
        if (_factorCacheKey != key)
        {
            ClearFactorCache();
            _factorCacheKey = key;
        }

        if (!_factorCache.TryGetValue(layer, out var factors))
        {
            factors = GatherBoth();
            _factorCache[layer] = factors;
            factors.A.DetachFromDisposeScope();
            factors.B.DetachFromDisposeScope();
        }

        return factors;

        (Tensor A, Tensor B) GatherBoth() =>
            (Gather(_banks.GetFactors(layer, a: true), dtype), Gather(_banks.GetFactors(layer, a: false), dtype));
    }

    Tensor Gather(IReadOnlyList<Tensor> factors, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var selected = factors.Count == 1 ? SelectGroups(factors[0]) : SelectGroups(factors);
        return selected.to(dtype).MoveToOuterDisposeScope();
    }

    /// <summary>The factors of each group out of those of several banks.</summary>
    Tensor SelectGroups(IReadOnlyList<Tensor> factors)
    {
        var selected = _groups
            .Select(group =>
            {
                var (bank, index) = _banks.Locate(Math.Max(group, 0));
                var factor = factors[bank].narrow(0, index, 1);
                return group < 0 ? zeros_like(factor) : factor;
            })
            .ToList();
        return selected.Count == 1 ? selected[0] : cat(selected, 0);
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

/// <summary>Banks of one shape, their adapters numbered through.</summary>
sealed class AdapterBankList
{
    readonly Dictionary<AdapterBank, int> _firstNumbers = [];
    readonly (int Bank, int Index)[]? _places; // null for one bank, whose numbers are its own

    /// <summary>The list of these, at least one.</summary>
    public AdapterBankList(IReadOnlyList<AdapterBank> banks)
    {
        Banks = banks;
        var count = 0;
        foreach (var bank in banks)
        {
            _firstNumbers[bank] = count;
            count += bank.Count;
        }

        if (banks.Count > 1)
        {
            _places =
            [
                .. banks.SelectMany((bank, number) => Enumerable.Range(0, bank.Count).Select(index => (number, index))),
            ];
        }
    }

    public IReadOnlyList<AdapterBank> Banks { get; }

    public AdapterBank First => Banks[0];

    public bool ActsEverywhere => Banks.All(bank => bank.ActsEverywhere);

    /// <summary>Grows with every change of any bank's factors.</summary>
    public int Version => Banks.Sum(bank => bank.Version);

    /// <summary>The adapter of a number.</summary>
    public (AdapterBank Bank, int Index) this[int number]
    {
        get
        {
            var (bank, index) = Locate(number);
            return (Banks[bank], index);
        }
    }

    /// <summary>Which of the banks an adapter is in, and where.</summary>
    public (int Bank, int Index) Locate(int number) => _places is null ? (0, number) : _places[number];

    public int NumberOf(AdapterBank bank, int index) =>
        _firstNumbers.TryGetValue(bank, out var first) ? first + index : -1;

    public bool RequireGrad(string layer) =>
        Banks.Any(bank => bank.Pairs[layer] is var pair && (pair.A.requires_grad || pair.B.requires_grad));

    /// <summary>A of a layer in every bank, or B.</summary>
    public IReadOnlyList<Tensor> GetFactors(string layer, bool a) =>
        [.. Banks.Select(bank => a ? bank.Pairs[layer].A : bank.Pairs[layer].B)];
}
