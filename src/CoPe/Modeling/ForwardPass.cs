using CoPe.Adapters;
using CoPe.Kernels;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>What all layers of one pass share: rotary tables, masks, cache rows, adapters. Its tensors belong to the dispose scope in which it is made.</summary>
sealed class ForwardPass
{
    /// <summary>Beyond it the written scores, which the backward pass keeps, would outweigh all other activations.</summary>
    const int LongestWithWrittenScores = 1024;

    readonly AttentionView full;
    readonly AttentionView sliding;
    readonly AttentionView last; // the last layer's
    readonly DecoderConfig config;

    public ForwardPass(DecoderConfig config, ScalarType dtype, TokenBatch batch, AdapterRows? adapters, KvCacheRows? cache, PassClock? clock = null)
    {
        this.config = config;
        Clock = clock;
        using var setting = clock?.Enter("masks and positions");
        if (batch.Wanted is not null && cache is not null) throw new ArgumentException("The batch wants some columns only; a pass with a cache takes a batch that wants all.", nameof(batch));
        Cache = cache is null ? null : new CachePass(cache, batch);
        Adapters = adapters is null ? null : new AdapterPass(adapters, (int)batch.Ids.shape[0], dtype);
        // A prompt that fills its rows from the first column on sees only itself: no need to read the cache back.
        var readsCache = cache is not null && !(batch.CountsFromZero && cache.Length == batch.Ids.shape[1]);
        var seq = batch.Ids.shape[1];
        var writesScores = dtype == ScalarType.BFloat16 && is_grad_enabled() && !readsCache && seq <= LongestWithWrittenScores && batch.Ids.device.type == TorchSharp.DeviceType.CPU;
        var stepPositions = readsCache && StepAttention.Applies(batch.Ids, dtype, config.HeadDim) ? batch.HostPositions ?? batch.Positions.reshape(-1).data<long>().ToArray() : null;
        var rotary = Rotary(config.Rope);
        full = View(rotary, null);
        sliding = Enumerable.Range(0, config.LayerCount).Any(config.IsSliding) ? View(config.SlidingRope is { } other ? Rotary(other) : rotary, config.SlidingWindow) : full;
        var ofLast = config.IsSliding(config.LayerCount - 1) ? sliding : full;
        last = batch.Wanted is { } wanted ? OfWanted(ofLast, wanted) : ofLast;

        RotaryEmbedding Rotary(RopeConfig rope) => new(batch.Positions, rope.Frequencies(config.HeadDim), dtype);

        AttentionView View(RotaryEmbedding turned, int? window)
        {
            if (stepPositions is not null) return new(turned, null, null) { Step = new(stepPositions, window), ReadsCache = readsCache };
            var mask = readsCache ? AttentionMask.OverCache(batch, cache!.Length, window, dtype) : AttentionMask.WithinPass(batch, window, dtype);
            return new(turned, mask, ScoreBias(mask)) { ReadsCache = readsCache };
        }

        AttentionView OfWanted(AttentionView all, WantedColumns wanted)
        {
            var mask = AttentionMask.OfWanted(batch, wanted, all.Mask, dtype);
            return new(all.Rotary, mask, ScoreBias(mask)) { Queries = wanted, QueryRotary = all.Rotary.At(wanted) };
        }

        Tensor? ScoreBias(Tensor? mask) => writesScores ? AttentionMask.Folded(mask, config, seq, dtype, batch.Ids.device) : null;
    }

    public CachePass? Cache { get; }

    public AdapterPass? Adapters { get; }

    public PassClock? Clock { get; }

    public AttentionView ViewOf(int layer) => layer == config.LayerCount - 1 ? last : config.IsSliding(layer) ? sliding : full;
}
