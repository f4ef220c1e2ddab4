using CoPe.Modeling;

namespace CoPe.Decoding;

/// <summary>
/// Where the time of a decoding went, over all steps of all running batches. Batches on several threads may add to it.
/// </summary>
public sealed class DecodingTrace
{
    const string PrefillPrefix = "prompts: ";

    readonly Lock _gate = new();
    readonly Dictionary<string, TimeSpan> _times = new(StringComparer.Ordinal);

    /// <summary>Steps taken, each a token for every row.</summary>
    public long Steps { get; private set; }

    /// <summary>Rows of all steps.</summary>
    public long Rows { get; private set; }

    /// <summary>
    /// Prompt tokens computed, over all rows; the last of a prompt is fed by a step and counts as none of the three.
    /// </summary>
    public long PromptTokensComputed { get; private set; }

    /// <summary>Prompt tokens copied from rows with the same beginning and the same adapters.</summary>
    public long PromptTokensCopied { get; private set; }

    /// <summary>Prompt tokens copied from what a <see cref="PromptCache"/> had kept of earlier calls.</summary>
    public long PromptTokensReused { get; private set; }

    /// <summary>Time of each section, longest first; those of computing prompts begin with <c>prompts: </c>.</summary>
    public IReadOnlyList<(string Section, TimeSpan Time)> Sections
    {
        get
        {
            lock (_gate)
            {
                return [.. _times.OrderByDescending(pair => pair.Value).Select(pair => (pair.Key, pair.Value))];
            }
        }
    }

    internal void Add(PassProfiler profiler, long steps, long rows, PassProfiler prefillProfiler, PromptWork prompts)
    {
        lock (_gate)
        {
            foreach (var (section, time) in profiler.Times)
            {
                _times[section] = _times.GetValueOrDefault(section) + time;
            }

            foreach (var (section, time) in prefillProfiler.Times)
            {
                _times[PrefillPrefix + section] = _times.GetValueOrDefault(PrefillPrefix + section) + time;
            }

            Steps += steps;
            Rows += rows;
            PromptTokensComputed += prompts.Computed;
            PromptTokensCopied += prompts.Copied;
            PromptTokensReused += prompts.Reused;
        }
    }
}
