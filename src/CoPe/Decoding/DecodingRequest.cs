using CoPe.Adapters;

namespace CoPe.Decoding;

/// <summary>A prompt to continue, the adapters its rows wear, and how to choose tokens.</summary>
public sealed record DecodingRequest
{
    /// <summary>Name of the request, unique within one call: results carry it.</summary>
    public required string Id { get; init; }

    /// <summary>Ids of the prompt, at least one.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>How tokens are chosen.</summary>
    public DecodingOptions Options { get; init; } = new();

    /// <summary>Seed of the request's own random numbers; its draws depend on nothing else.</summary>
    public long Seed { get; init; }

    /// <summary>What the expert wears: in CoPe the task's adapter and the user's.</summary>
    public AdapterSelection Expert { get; init; } = AdapterSelection.Base;

    /// <summary>
    /// What the amateur wears, in CoPe the task's adapter alone; null is plain decoding, without an amateur row.
    /// </summary>
    public AdapterSelection? Amateur { get; init; }

    /// <summary>How many answers to generate; the prompt is computed once for all.</summary>
    public int Samples { get; init; } = 1;

    /// <summary>
    /// Number of the first sample: drawing samples 3 and 4 later gives what drawing five at once had given.
    /// </summary>
    public int FirstSample { get; init; }

    /// <summary>Told of each id as it is chosen, all samples together, from whichever thread decodes.</summary>
    public Action<int>? OnToken { get; init; }

    /// <summary>Rows of one sample.</summary>
    internal int RowsPerSample => Amateur is null ? 1 : 2;
}

/// <summary>One finished answer.</summary>
/// <param name="RequestId">The request.</param>
/// <param name="Sample">Number of the sample, from the request's first.</param>
/// <param name="Ids">The generated ids, a stop id included.</param>
/// <param name="StopReason">Why it ended.</param>
public sealed record DecodingResult(string RequestId, int Sample, IReadOnlyList<int> Ids, StopReason StopReason);
