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
        return new AdapterRows([new AdapterAssignment(new AdapterBankList([bank]), index)]);
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

        return new AdapterRows([new AdapterAssignment(new AdapterBankList([bank]), indexOfRow)]);
    }

    /// <summary>
    /// Row i has the adapters <paramref name="lower"/>[i] and <paramref name="upper"/>[i], of whichever banks; null is
    /// none. Banks of one shape share a level of the stack, so that their adapters cost no more than those of one bank.
    /// </summary>
    /// <param name="lower">The lower adapter of each row, such as the task's.</param>
    /// <param name="upper">The upper one, such as the user's.</param>
    /// <returns>The rows' adapters, owned by the caller; null where no row has one.</returns>
    internal static AdapterRows? Stack(
        IReadOnlyList<(AdapterBank Bank, int Index)?> lower,
        IReadOnlyList<(AdapterBank Bank, int Index)?> upper
    )
    {
        AdapterAssignment[] levels = [.. CreateLevels(lower), .. CreateLevels(upper)];
        return levels.Length == 0 ? null : new AdapterRows(levels);
    }

    static List<AdapterAssignment> CreateLevels(IReadOnlyList<(AdapterBank Bank, int Index)?> adapters)
    {
        var banks = adapters
            .OfType<(AdapterBank Bank, int Index)>()
            .Select(adapter => adapter.Bank)
            .Distinct()
            .ToList();
        // A bank with an embedding or a head of its own is a level by itself.
        var shapes = banks.GroupBy(bank => bank.Saved is null ? bank.Shape : (object)bank);
        return [.. shapes.Select(ofShape => CreateLevel(new AdapterBankList([.. ofShape]), adapters))];
    }

    static AdapterAssignment CreateLevel(AdapterBankList banks, IReadOnlyList<(AdapterBank Bank, int Index)?> adapters)
    {
        int[] numbers = [.. adapters.Select(adapter => adapter is { } one ? banks.NumberOf(one.Bank, one.Index) : -1)];
        var isShared = numbers[0] >= 0 && numbers.All(number => number == numbers[0]);
        return isShared ? new AdapterAssignment(banks, numbers[0]) : new AdapterAssignment(banks, numbers);
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
