using System.ComponentModel.DataAnnotations;

namespace CoPe.Serving;

/// <summary>Limits of a serving engine: they change speed and memory, never an answer.</summary>
public sealed record ServingOptions
{
    /// <summary>Most rows of the running batch; an answer by contrast takes two.</summary>
    [Range(2, int.MaxValue)]
    public int MaxRows
    {
        get;
        init => field = OptionGuard.Check(typeof(ServingOptions), value);
    } = 64;

    /// <summary>Most requests that wait; one more is rejected.</summary>
    [Range(1, int.MaxValue)]
    public int MaxWaiting
    {
        get;
        init => field = OptionGuard.Check(typeof(ServingOptions), value);
    } = 1024;

    /// <summary>Most requests of one client that wait.</summary>
    [Range(1, int.MaxValue)]
    public int MaxWaitingOfClient
    {
        get;
        init => field = OptionGuard.Check(typeof(ServingOptions), value);
    } = 256;

    /// <summary>
    /// Most memory of adapters, in bytes of their float32 factors; the longest unused ones leave first.
    /// </summary>
    [Range(1L, long.MaxValue)]
    public long AdapterBytes
    {
        get;
        init => field = OptionGuard.Check(typeof(ServingOptions), value);
    } = 1L << 30;

    /// <summary>Adapters that are read at the same time.</summary>
    [Range(1, 64)]
    public int ParallelReads
    {
        get;
        init => field = OptionGuard.Check(typeof(ServingOptions), value);
    } = 2;

    /// <summary>
    /// Memory for keys and values of earlier prompts and answers, in bytes, so that a conversation's next turn computes
    /// only what is new; 0 keeps nothing. What is kept is the same up to rounding: an answer may then differ where two
    /// tokens nearly tie.
    /// </summary>
    [Range(0L, long.MaxValue)]
    public long PromptCacheBytes
    {
        get;
        init => field = OptionGuard.Check(typeof(ServingOptions), value);
    }
}
