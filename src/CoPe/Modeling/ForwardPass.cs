using System.Diagnostics;
using CoPe.Kernels.Fused;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// What all layers of one forward pass share: rotary tables, masks, cache rows, adapters. Its tensors belong to the
/// dispose scope in which it is created.
/// </summary>
sealed class ForwardPass
{
    /// <summary>
    /// Longest rows whose attention scores are computed explicitly in training: of longer ones (or of as many scores)
    /// the scores, which the backward pass keeps, would outweigh all other activations.
    /// </summary>
    const int MaxExplicitScoresLength = 1024;

    readonly DecoderConfig _config;
    readonly ScalarType _dtype;
    readonly TokenBatch _batch;
    readonly KvCacheSlice? _cache;
    readonly bool _readsCache;
    readonly long[]? _decodePositions; // of each row, where the decoding kernel computes the attention

    readonly AttentionInputs _fullLayers;
    readonly AttentionInputs _slidingLayers;
    readonly AttentionInputs _lastLayer;

    public ForwardPass(
        DecoderConfig config,
        ScalarType dtype,
        TokenBatch batch,
        IRowAdapters? adapters,
        KvCacheSlice? cache,
        PassProfiler? profiler = null
    )
    {
        using var section = profiler?.Enter("masks and positions");
        if (batch.OutputColumns is not null && cache is not null)
        {
            throw new ArgumentException(
                "The batch selects output columns; a pass with a cache takes a batch that returns all columns.",
                nameof(batch)
            );
        }

        if (batch.Prefix is not null && cache is not null)
        {
            throw new ArgumentException(
                "A pass continues from a cache or from a prefix, not from both.",
                nameof(batch)
            );
        }

        _config = config;
        _dtype = dtype;
        _batch = batch;
        _cache = cache;
        Profiler = profiler;
        Cache = cache is null ? null : new KvCacheView(cache, batch);
        Adapters = adapters?.StartPass(batch, dtype);

        _readsCache = cache is not null && !FillsWholeRows(cache, batch);
        if (_readsCache && DecodeAttention.Supports(batch.Ids, dtype, config.HeadDim))
        {
            _decodePositions = batch.ReadPositions();
        }

        var rotary = CreateRotary(config.Rope);
        _fullLayers = CreateInputs(rotary, window: null);
        _slidingLayers = _fullLayers;
        if (Enumerable.Range(0, config.LayerCount).Any(config.IsSliding))
        {
            var slidingRotary = config.SlidingRope is null ? rotary : CreateRotary(config.SlidingRope);
            _slidingLayers = CreateInputs(slidingRotary, config.SlidingWindow);
        }

        _lastLayer = config.IsSliding(config.LayerCount - 1) ? _slidingLayers : _fullLayers;
        if (batch.OutputColumns is not null)
        {
            _lastLayer = SelectQueries(_lastLayer, batch.OutputColumns);
        }
    }

    /// <summary>Cache rows that the pass writes; null without a cache.</summary>
    public KvCacheView? Cache { get; }

    /// <summary>The columns before those of the pass; null for none.</summary>
    public CachedPrefix? Prefix => _batch.Prefix;

    /// <summary>Adapters of the pass's rows; null for none.</summary>
    public ILinearTerms? Adapters { get; }

    /// <summary>Measures the pass's sections; null: nobody does.</summary>
    public PassProfiler? Profiler { get; }

    /// <summary>What a layer's attention uses.</summary>
    public AttentionInputs GetAttention(int layer)
    {
        if (layer == _config.LayerCount - 1)
        {
            return _lastLayer;
        }

        return _config.IsSliding(layer) ? _slidingLayers : _fullLayers;
    }

    /// <summary>
    /// Whether a prompt fills its cache rows from the first column on: it attends to itself alone, so that the cache
    /// need not be read back.
    /// </summary>
    static bool FillsWholeRows(KvCacheSlice cache, TokenBatch batch) =>
        batch.CountsFromZero && cache.Length == batch.Ids.shape[1];

    /// <summary>In bf16 on the processor, torch's fused attention is slow backward.</summary>
    bool ComputesScoresExplicitly =>
        _dtype == ScalarType.BFloat16
        && is_grad_enabled()
        && !_readsCache
        && HasFewScores
        && _batch.Ids.device.type == TorchSharp.DeviceType.CPU;

    bool HasFewScores
    {
        get
        {
            var seq = _batch.Ids.shape[1];
            return seq * (seq + (Prefix?.Width ?? 0)) <= (long)MaxExplicitScoresLength * MaxExplicitScoresLength;
        }
    }

    RotaryEmbedding CreateRotary(RopeConfig rope) =>
        new(_batch.Positions, rope.ComputeFrequencies(_config.HeadDim), _dtype);

    AttentionInputs CreateInputs(RotaryEmbedding rotary, int? window)
    {
        if (_decodePositions is not null)
        {
            var kernel = new DecodeAttention(_decodePositions, window);
            return new AttentionInputs(rotary, mask: null, scoreBias: null)
            {
                DecodeKernel = kernel,
                ReadsCache = true,
            };
        }

        var mask = _readsCache
            ? AttentionMask.CreateForCache(_batch, _cache!.Length, window, _dtype)
            : AttentionMask.CreateForPass(_batch, window, _dtype);
        return new AttentionInputs(rotary, mask, CreateScoreBias(mask)) { ReadsCache = _readsCache };
    }

    /// <summary>The same for the output columns' queries alone.</summary>
    AttentionInputs SelectQueries(AttentionInputs all, OutputColumns columns)
    {
        var mask = AttentionMask.SelectQueries(_batch, columns, all.Mask, _dtype);
        return new AttentionInputs(all.Rotary, mask, CreateScoreBias(mask))
        {
            Queries = columns,
            QueryRotary = all.Rotary.Select(columns),
        };
    }

    Tensor? CreateScoreBias(Tensor? mask)
    {
        if (!ComputesScoresExplicitly)
        {
            return null;
        }

        return AttentionMask.FoldHeads(mask, _config, _batch.Ids.shape[1], _dtype, _batch.Ids.device);
    }
}

/// <summary>
/// What the attention of one kind of layer (full, sliding, or the last) uses in a pass; shared by all layers of the
/// kind.
/// </summary>
/// <param name="rotary">Rotary tables of the pass's positions.</param>
/// <param name="mask">
/// Added to the scores, <c>[rows or 1, 1, queries, columns]</c>; null: causal without a cache, everything with one.
/// </param>
/// <param name="scoreBias">
/// Where scores are computed explicitly, the same mask with folded heads,
/// <c>[rows * kvHeads or 1, group * queries, seq]</c>; else null.
/// </param>
sealed class AttentionInputs(RotaryEmbedding rotary, Tensor? mask, Tensor? scoreBias)
{
    /// <summary>Rotary tables of all columns, for the keys.</summary>
    public RotaryEmbedding Rotary { get; } = rotary;

    /// <summary>Rotary tables of the columns that are queries.</summary>
    public RotaryEmbedding QueryRotary { get; init; } = rotary;

    /// <summary>The columns that are queries, where they are not all.</summary>
    public OutputColumns? Queries { get; init; }

    public Tensor? Mask { get; } = mask;

    public Tensor? ScoreBias { get; } = scoreBias;

    /// <summary>The kernel for one position a row over the cache, which needs no mask; else null.</summary>
    public DecodeAttention? DecodeKernel { get; init; }

    /// <summary>Keys and values come from the cache rather than from the pass alone.</summary>
    public bool ReadsCache { get; init; }
}

/// <summary>
/// Adds up where the time of passes goes. At any moment one section is running; one that is entered inside another
/// interrupts it, so that the times add up to the whole. For one thread.
/// </summary>
sealed class PassProfiler
{
    readonly Dictionary<string, TimeSpan> _times = new(StringComparer.Ordinal);
    string? _running;
    long _startedAt;

    /// <summary>Time of each section so far.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Times => _times;

    /// <summary>Runs a section until the result is disposed, then resumes the one that it interrupted.</summary>
    public Section Enter(string section) => new(this, SwitchTo(section));

    /// <summary>Returns the section that was running.</summary>
    string? SwitchTo(string? section)
    {
        var now = Stopwatch.GetTimestamp();
        if (_running is not null)
        {
            _times[_running] = _times.GetValueOrDefault(_running) + Stopwatch.GetElapsedTime(_startedAt, now);
        }

        var interrupted = _running;
        _running = section;
        _startedAt = now;
        return interrupted;
    }

    /// <summary>A running section; the default value is none.</summary>
    public readonly struct Section : IDisposable
    {
        readonly PassProfiler? _profiler;
        readonly string? _interrupted;

        internal Section(PassProfiler profiler, string? interrupted)
        {
            _profiler = profiler;
            _interrupted = interrupted;
        }

        /// <summary>Ends the section.</summary>
        public void Dispose() => _profiler?.SwitchTo(_interrupted);
    }
}
