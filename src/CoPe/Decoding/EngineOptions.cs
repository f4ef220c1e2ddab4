namespace CoPe.Decoding;

/// <summary>Limits of one engine: what they change is speed and memory, never a result.</summary>
public sealed record EngineOptions
{
    /// <summary>Most rows in one pass; an expert and its amateur are two.</summary>
    public int MaxRows { get; init => field = AtLeast(2, value, nameof(MaxRows)); } = 64;

    /// <summary>Running batches side by side, each of <see cref="MaxRows"/> rows and on one core; null takes one for large models and one a core for small ones.</summary>
    public int? Batches { get; init => field = value is { } batches ? AtLeast(1, batches, nameof(Batches)) : null; }

    /// <summary>Most prompt tokens, padding and what was copied included, in one prefill pass (a single longer prompt is a pass of its own).</summary>
    public int PrefillTokens { get; init => field = AtLeast(1, value, nameof(PrefillTokens)); } = 8192;

    /// <summary>Requests read ahead and sorted by length, so that rows of one pass are of similar length.</summary>
    public int LookAhead { get; init => field = AtLeast(1, value, nameof(LookAhead)); } = 256;

    /// <summary>Text of ids, for stop strings; needed only by requests that have some.</summary>
    public Func<IReadOnlyList<int>, string>? Detokenize { get; init; }

    /// <summary>Takes where the time goes, once a running batch has ended; null measures nothing.</summary>
    public DecodingTrace? Trace { get; init; }

    /// <summary>Name of the stage in progress reports.</summary>
    public string Stage { get; init; } = "decode";

    static int AtLeast(int least, int value, string name) =>
        value >= least ? value : throw new ArgumentOutOfRangeException(name, value, $"Engine option {name} is {value}; it must be at least {least}.");
}
