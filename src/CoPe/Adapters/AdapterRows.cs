using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>
/// Which adapters each row of a pass wears. A row may wear several, one per layer of the stack (the task's, then the user's), or none: then it is the amateur's or the base's row.
/// The adapter is an argument of the pass, never a mode of the model. Banks stay their owners'; they must outlive this.
/// </summary>
public sealed class AdapterRows : IDisposable
{
    readonly IReadOnlyList<AdapterAssignment> stack;

    AdapterRows(IReadOnlyList<AdapterAssignment> stack) => this.stack = stack;

    /// <summary>Lowest first.</summary>
    internal IReadOnlyList<AdapterAssignment> Stack => stack;

    /// <summary>Every row wears adapter <paramref name="index"/> of the bank.</summary>
    public static AdapterRows All(AdapterBank bank, int index = 0)
    {
        bank.CheckIndex(index);
        return new AdapterRows([new AdapterAssignment(bank, index)]);
    }

    /// <summary>Row i wears adapter <paramref name="indexOfRow"/>[i] of the bank; -1 is none.</summary>
    public static AdapterRows Of(AdapterBank bank, IReadOnlyList<int> indexOfRow)
    {
        foreach (var index in indexOfRow)
            if (index != -1) bank.CheckIndex(index);
        return new AdapterRows([new AdapterAssignment(bank, indexOfRow)]);
    }

    /// <summary>These, and on top of them those of <paramref name="upper"/> (for example the task's below, the users' above). Both are then owned by the result.</summary>
    public AdapterRows With(AdapterRows upper) => new([.. stack, .. upper.stack]);

    /// <summary>
    /// The same with inputs of the adapters dropped while training, with the bank's <see cref="LoraConfig.Dropout"/>: row i drops by
    /// <paramref name="rowSeeds"/>[i] alone, whichever rows share the pass. The result owns what this owned.
    /// </summary>
    public AdapterRows WithDropout(IReadOnlyList<long> rowSeeds) => new([.. stack.Select(a => a.WithDropout(rowSeeds))]);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var assignment in stack) assignment.Dispose();
    }
}
