namespace CoPe.Experiments.Data.Building;

/// <summary>The footer of a parquet file: one structure in Thrift's compact protocol.</summary>
static class ParquetFooter
{
    /// <summary>Whether the bytes are one whole structure and nothing else.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> footer)
    {
        var walk = new ThriftWalk(footer);
        return walk.TrySkip() && walk.Position == footer.Length;
    }
}
