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

    readonly Dictionary<bool, RotaryEmbedding> _rotaries = []; // by whether the layers slide
    readonly Dictionary<(bool IsSliding, bool HasRope), AttentionInputs> _kinds = [];
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

        for (var layer = 0; layer < config.LayerCount; layer++)
        {
            AddKind(config.IsSliding(layer), config.HasRope(layer));
        }

        _lastLayer = GetKind(config.LayerCount - 1);
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
    public AttentionInputs GetAttention(int layer) => layer == _config.LayerCount - 1 ? _lastLayer : GetKind(layer);

    AttentionInputs GetKind(int layer) => _kinds[(_config.IsSliding(layer), _config.HasRope(layer))];

    void AddKind(bool isSliding, bool hasRope)
    {
        if (_kinds.ContainsKey((isSliding, hasRope)))
        {
            return;
        }

        var rotary = hasRope ? GetRotary(isSliding) : null;
        // What layers see does not depend on their rotation.
        var alike = _kinds.GetValueOrDefault((isSliding, !hasRope));
        _kinds[(isSliding, hasRope)] =
            alike?.WithRotary(rotary) ?? CreateInputs(rotary, isSliding ? _config.SlidingWindow : null);
    }

    RotaryEmbedding GetRotary(bool isSliding)
    {
        var hasOwn = isSliding && _config.SlidingRope is not null;
        if (!_rotaries.TryGetValue(hasOwn, out var rotary))
        {
            rotary = CreateRotary(hasOwn ? _config.SlidingRope! : _config.Rope);
            _rotaries[hasOwn] = rotary;
        }

        return rotary;
    }

    /// <summary>
    /// Whether a prompt fills its cache rows from the first column on: it attends to itself alone, so that the cache
    /// need not be read back.
    /// </summary>
    static bool FillsWholeRows(KvCacheSlice cache, TokenBatch batch) =>
        batch.CountsFromZero && cache.Length == batch.Ids.shape[1];

    /// <summary>Torch's fused attention is slow backward in bf16 on the processor.</summary>
    bool ComputesScoresExplicitly =>
        _config.AttentionSoftCap is null
        && _dtype == ScalarType.BFloat16
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

    RotaryEmbedding CreateRotary(RopeConfig rope)
    {
        using var frequencies = CreateFrequencies(rope);
        return new RotaryEmbedding(_batch.Positions, rope, frequencies, _dtype);
    }

    /// <summary>
    /// Of each plane, <c>[planes]</c>, or of each row and plane where rows differ, <c>[rows, 1, planes]</c>.
    /// </summary>
    Tensor CreateFrequencies(RopeConfig rope)
    {
        var device = _batch.Positions.device;
        if (!rope.DependsOnLength)
        {
            return tensor(rope.ComputeFrequencies(_config.HeadDim), device: device);
        }

        var lengths = _batch.TextLengths?.Select(length => (long)length) ?? [_batch.MaxPosition + 1];
        List<bool> areLong = [.. lengths.Select(_config.IsExtended)];
        if (areLong.TrueForAll(isLong => isLong == areLong[0]))
        {
            return tensor(rope.ComputeFrequencies(_config.HeadDim, areLong[0]), device: device);
        }

        var ofRows = areLong.SelectMany(isLong => rope.ComputeFrequencies(_config.HeadDim, isLong)).ToArray();
        return tensor(ofRows, [areLong.Count, 1, ofRows.Length / areLong.Count], device: device);
    }

    AttentionInputs CreateInputs(RotaryEmbedding? rotary, int? window)
    {
        if (_decodePositions is not null)
        {
            var kernel = new DecodeAttention(_decodePositions, window, _config.AttentionSoftCap);
            return new AttentionInputs(rotary, mask: null) { DecodeKernel = kernel, ReadsCache = true };
        }

        var mask = _readsCache
            ? AttentionMask.CreateForCache(_batch, _cache!.Length, window, _dtype)
            : AttentionMask.CreateForPass(_batch, window, _dtype);
        return new AttentionInputs(rotary, mask)
        {
            ReadsCache = _readsCache,
            ComputesScores = ComputesScoresExplicitly,
            ScoreBias = CreateScoreBias(mask),
        };
    }

    /// <summary>The same for the output columns' queries alone.</summary>
    AttentionInputs SelectQueries(AttentionInputs all, OutputColumns columns)
    {
        var mask = AttentionMask.SelectQueries(_batch, columns, all.Mask, _dtype);
        return new AttentionInputs(all.Rotary, mask)
        {
            ComputesScores = ComputesScoresExplicitly,
            ScoreBias = CreateScoreBias(mask),
            Queries = columns,
            QueryRotary = all.Rotary?.Select(columns),
        };
    }

    Tensor? CreateScoreBias(Tensor? mask)
    {
        return ComputesScoresExplicitly
            ? AttentionMask.FoldHeads(mask, _config, _batch.Ids.shape[1], _dtype, _batch.Ids.device)
            : null;
    }
}

/// <summary>
/// What the attention of one kind of layer (full, sliding, or the last) uses in a pass; shared by all layers of the
/// kind.
/// </summary>
/// <param name="rotary">Rotary tables of the pass's positions; null: the layers have no rotary embedding.</param>
/// <param name="mask">
/// Added to the scores, <c>[rows or 1, 1, queries, columns]</c>; null: causal without a cache, everything with one.
/// </param>
sealed class AttentionInputs(RotaryEmbedding? rotary, Tensor? mask)
{
    /// <summary>Rotary tables of all columns, for the keys; null where they are not rotated.</summary>
    public RotaryEmbedding? Rotary { get; private init; } = rotary;

    /// <summary>Rotary tables of the columns that are queries.</summary>
    public RotaryEmbedding? QueryRotary { get; init; } = rotary;

    /// <summary>The columns that are queries, where they are not all.</summary>
    public OutputColumns? Queries { get; init; }

    public Tensor? Mask { get; } = mask;

    /// <summary>Whether the scores are computed explicitly rather than by torch's fused attention.</summary>
    public bool ComputesScores { get; init; }

    /// <summary>
    /// Where scores are computed explicitly, the same mask with folded heads,
    /// <c>[rows * kvHeads or 1, group * queries, columns]</c>.
    /// </summary>
    public Tensor? ScoreBias { get; init; }

    /// <summary>The kernel for one position a row over the cache, which needs no mask; else null.</summary>
    public DecodeAttention? DecodeKernel { get; init; }

    /// <summary>Keys and values come from the cache rather than from the pass alone.</summary>
    public bool ReadsCache { get; init; }

    /// <summary>The same for layers of another rotation; shares the tensors. All columns must be queries.</summary>
    public AttentionInputs WithRotary(RotaryEmbedding? other) =>
        new(other, Mask)
        {
            ComputesScores = ComputesScores,
            ScoreBias = ScoreBias,
            DecodeKernel = DecodeKernel,
            ReadsCache = ReadsCache,
        };
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
