using System.Diagnostics;
using CoPe.Adapters;
using CoPe.Kernels.Fused;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// What all layers of one pass share: rotary tables, masks, cache rows, adapters. Its tensors belong to the dispose
/// scope in which it is made.
/// </summary>
sealed class ForwardPass
{
    /// <summary>
    /// Beyond it the written scores, which the backward pass keeps, would outweigh all other activations.
    /// </summary>
    const int MaxExplicitScoresLength = 1024;

    readonly AttentionInputs _full;
    readonly AttentionInputs _sliding;
    readonly AttentionInputs _last; // the last layer's
    readonly DecoderConfig _config;

    public ForwardPass(
        DecoderConfig config,
        ScalarType dtype,
        TokenBatch batch,
        AdapterRows? adapters,
        KvCacheSlice? cache,
        PassProfiler? clock = null
    )
    {
        _config = config;
        Profiler = clock;
        using var setting = clock?.Enter("masks and positions");
        if (batch.OutputColumns is not null && cache is not null)
        {
            throw new ArgumentException(
                "The batch wants some columns only; a pass with a cache takes a batch that wants all.",
                nameof(batch)
            );
        }

        Cache = cache is null ? null : new KvCacheView(cache, batch);
        Adapters = adapters is null ? null : new AdapterPass(adapters, (int)batch.Ids.shape[0], dtype);
        // A prompt that fills its rows from the first column on sees only itself: no need to read the cache back.
        var readsCache = cache is not null && !(batch.CountsFromZero && cache.Length == batch.Ids.shape[1]);
        var seq = batch.Ids.shape[1];
        var writesScores =
            dtype == ScalarType.BFloat16
            && is_grad_enabled()
            && !readsCache
            && seq <= MaxExplicitScoresLength
            && batch.Ids.device.type == TorchSharp.DeviceType.CPU;
        var stepPositions =
            readsCache && DecodeAttention.Supports(batch.Ids, dtype, config.HeadDim)
                ? batch.HostPositions ?? batch.Positions.reshape(-1).data<long>().ToArray()
                : null;
        var rotary = Rotary(config.Rope);
        _full = View(rotary, null);
        _sliding = Enumerable.Range(0, config.LayerCount).Any(config.IsSliding)
            ? View(config.SlidingRope is { } other ? Rotary(other) : rotary, config.SlidingWindow)
            : _full;
        var ofLast = config.IsSliding(config.LayerCount - 1) ? _sliding : _full;
        _last = batch.OutputColumns is { } wanted ? OfWanted(ofLast, wanted) : ofLast;

        RotaryEmbedding Rotary(RopeConfig rope) => new(batch.Positions, rope.ComputeFrequencies(config.HeadDim), dtype);

        AttentionInputs View(RotaryEmbedding turned, int? window)
        {
            if (stepPositions is not null)
            {
                return new(turned, null, null) { DecodeKernel = new(stepPositions, window), ReadsCache = readsCache };
            }

            var mask = readsCache
                ? AttentionMask.CreateForCache(batch, cache!.Length, window, dtype)
                : AttentionMask.CreateForPass(batch, window, dtype);
            return new(turned, mask, ScoreBias(mask)) { ReadsCache = readsCache };
        }

        AttentionInputs OfWanted(AttentionInputs all, OutputColumns wanted)
        {
            var mask = AttentionMask.SelectQueries(batch, wanted, all.Mask, dtype);
            return new(all.Rotary, mask, ScoreBias(mask)) { Queries = wanted, QueryRotary = all.Rotary.Select(wanted) };
        }

        Tensor? ScoreBias(Tensor? mask) =>
            writesScores ? AttentionMask.FoldHeads(mask, config, seq, dtype, batch.Ids.device) : null;
    }

    public KvCacheView? Cache { get; }

    public AdapterPass? Adapters { get; }

    public PassProfiler? Profiler { get; }

    public AttentionInputs GetAttention(int layer) =>
        layer == _config.LayerCount - 1 ? _last
        : _config.IsSliding(layer) ? _sliding
        : _full;
}

/// <summary>
/// What one kind of layer (seeing everything, or sliding, or the last) uses in a pass; shared by all layers of the
/// kind.
/// </summary>
/// <param name="rotary">Rotary tables of the pass's positions.</param>
/// <param name="mask">
/// Added to the scores, <c>[rows or 1, 1, queries, columns]</c>; null: causal without a cache, everything with one.
/// </param>
/// <param name="scoreBias">
/// Where scores are written out rather than fused: the same mask for folded heads, <c>[rows * kvHeads or 1, group *
/// queries, seq]</c>; else null.
/// </param>
sealed class AttentionInputs(RotaryEmbedding rotary, Tensor? mask, Tensor? scoreBias)
{
    public RotaryEmbedding Rotary { get; } = rotary;

    /// <summary>Rotary tables of the columns that ask.</summary>
    public RotaryEmbedding QueryRotary { get; init; } = rotary;

    /// <summary>The columns that ask, where they are not all: those wanted of the last layer.</summary>
    public OutputColumns? Queries { get; init; }

    public Tensor? Mask { get; } = mask;

    public Tensor? ScoreBias { get; } = scoreBias;

    /// <summary>One position a row over the cache by our own kernel, which needs no mask; else null.</summary>
    public DecodeAttention? DecodeKernel { get; init; }

    /// <summary>Keys and values come from the cache rather than from the pass alone.</summary>
    public bool ReadsCache { get; init; }
}

/// <summary>
/// Adds up where the time of passes goes: at any moment one section is running, and one entered inside another
/// interrupts it, so that the times add up to the whole. For one thread.
/// </summary>
public sealed class PassProfiler
{
    readonly Dictionary<string, TimeSpan> _times = new(StringComparer.Ordinal);
    string? _running;
    long _since;

    /// <summary>Time of each section so far.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Times => _times;

    /// <summary>Runs a section until the result is disposed of, then goes on with the one it interrupted.</summary>
    public Section Enter(string section) => new(this, SwitchTo(section));

    string? SwitchTo(string? next)
    {
        var now = Stopwatch.GetTimestamp();
        if (_running is not null)
        {
            _times[_running] = _times.GetValueOrDefault(_running) + Stopwatch.GetElapsedTime(_since, now);
        }

        (var before, _running, _since) = (_running, next, now);
        return before;
    }

    /// <summary>A section that runs; the default value is none.</summary>
    public readonly struct Section : IDisposable
    {
        readonly PassProfiler? _clock;
        readonly string? _before;

        internal Section(PassProfiler clock, string? before) => (_clock, _before) = (clock, before);

        /// <summary>Ends the section.</summary>
        public void Dispose() => _clock?.SwitchTo(_before);
    }
}
