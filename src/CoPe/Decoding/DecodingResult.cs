namespace CoPe.Decoding;

/// <summary>One finished answer.</summary>
/// <param name="RequestId">The request.</param>
/// <param name="Sample">Number of the sample, from the request's first.</param>
/// <param name="Ids">The generated ids, a stop id included.</param>
/// <param name="StopReason">Why it ended.</param>
public sealed record DecodingResult(string RequestId, int Sample, IReadOnlyList<int> Ids, StopReason StopReason);
