using CoPe.Decoding;

namespace CoPe.Negatives;

/// <summary>One drawn answer.</summary>
/// <param name="Text">Its text, trimmed.</param>
/// <param name="Ids">Its ids as drawn, a stop id included.</param>
/// <param name="StopReason">Why it ended: anything but a stop token means that it was cut.</param>
public sealed record Candidate(string Text, IReadOnlyList<int> Ids, StopReason StopReason);
