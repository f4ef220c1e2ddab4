namespace CoPe.Modeling;

/// <summary>Consecutive rows of a cache, as one pass sees them.</summary>
/// <param name="Cache">The cache.</param>
/// <param name="First">First row.</param>
/// <param name="Count">Number of rows: batch row i is cache row First + i.</param>
/// <param name="Length">Columns attended to: the longest position of the pass + 1.</param>
public sealed record KvCacheRows(KvCache Cache, int First, int Count, int Length);
