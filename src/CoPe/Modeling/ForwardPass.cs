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
    readonly DecoderConfig config;

    public ForwardPass(DecoderConfig config, ScalarType dtype, TokenBatch batch, AdapterRows? adapters, KvCacheRows? cache, PassClock? clock = null)
    {
        this.config = config;
        Clock = clock;
        using var setting = clock?.Enter("masks and positions");
        Cache = cache is null ? null : new CachePass(cache, batch);
        Adapters = adapters is null ? null : new AdapterPass(adapters, (int)batch.Ids.shape[0], dtype);
        // A prompt that fills its rows from the first column on sees only itself: no need to read the cache back.
        var readsCache = cache is not null && !(batch.CountsFromZero && cache.Length == batch.Ids.shape[1]);
        var rotary = new RotaryEmbedding(batch.Positions, config.Rope.Frequencies(config.HeadDim), dtype);
        var seq = batch.Ids.shape[1];
        var writesScores = dtype == ScalarType.BFloat16 && is_grad_enabled() && !readsCache && seq <= LongestWithWrittenScores && batch.Ids.device.type == TorchSharp.DeviceType.CPU;
        var stepPositions = readsCache && StepAttention.Applies(batch.Ids, dtype, config.HeadDim) ? batch.Positions.reshape(-1).data<long>().ToArray() : null;
        full = View(rotary, null);
        var anySliding = Enumerable.Range(0, config.LayerCount).Any(config.IsSliding);
        sliding = !anySliding ? full
            : View(config.SlidingRope is { } other ? new RotaryEmbedding(batch.Positions, other.Frequencies(config.HeadDim), dtype) : rotary, config.SlidingWindow);

        AttentionView View(RotaryEmbedding turned, int? window)
        {
            if (stepPositions is not null) return new(turned, null, null, new StepAttention(stepPositions, window), readsCache);
            var mask = Mask(window);
            return new(turned, mask, writesScores ? AttentionMask.Folded(mask, config, seq, dtype, batch.Ids.device) : null, null, readsCache);
        }

        Tensor? Mask(int? window) => readsCache ? AttentionMask.OverCache(batch, cache!.Length, window, dtype) : AttentionMask.WithinPass(batch, window, dtype);
    }

    public CachePass? Cache { get; }

    public AdapterPass? Adapters { get; }

    public PassClock? Clock { get; }

    public AttentionView ViewOf(int layer) => config.IsSliding(layer) ? sliding : full;
}
