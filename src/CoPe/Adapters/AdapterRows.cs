namespace CoPe.Adapters;

/// <summary>
/// Which adapters each row of a pass wears. A row may wear several, one per layer of the stack (the task's, then the user's), or none: then it is the amateur's or the base's row.
/// The adapter is an argument of the pass, never a mode of the model.
/// </summary>
public sealed class AdapterRows : IDisposable
{
    /// <summary>Every row wears adapter <paramref name="index"/> of the bank.</summary>
    public static AdapterRows All(AdapterBank bank, int index = 0) => throw new NotImplementedException();

    /// <summary>Row i wears adapter <paramref name="indexOfRow"/>[i] of the bank; -1 is none.</summary>
    public static AdapterRows Of(AdapterBank bank, IReadOnlyList<int> indexOfRow) => throw new NotImplementedException();

    /// <summary>These, and on top of them those of <paramref name="upper"/> (for example the task's below, the users' above). Both are then owned by the result.</summary>
    public AdapterRows With(AdapterRows upper) => throw new NotImplementedException();

    /// <summary>The same with inputs of the adapters dropped while training: row i drops by the stream of <paramref name="generators"/>[its adapter].</summary>
    public AdapterRows WithDropout(IReadOnlyList<TorchSharp.torch.Generator> generators) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
