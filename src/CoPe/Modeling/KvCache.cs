using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>Keys and values of earlier columns, preallocated for a number of rows and columns. Column index = position, rows are left-aligned.</summary>
public sealed class KvCache : IDisposable
{
    /// <summary>Allocates for <paramref name="rows"/> rows of at most <paramref name="capacity"/> positions.</summary>
    public KvCache(CausalLm model, int rows, int capacity) => throw new NotImplementedException();

    /// <summary>A view of <paramref name="count"/> consecutive rows for one pass; <paramref name="length"/> is the longest position + 1 that the pass will see.</summary>
    public KvCacheRows Rows(int first, int count, int length) => throw new NotImplementedException();

    /// <summary>Copies the first <paramref name="length"/> positions of a row over another's (samples share a prompt; a freed row is filled by the last).</summary>
    public void CopyRow(int from, int to, int length) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();
}
