using CoPe.Kernels.Fused;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>
/// Adapters of one shape, stacked: each adapted layer holds A <c>[adapters, r, in]</c> and B <c>[adapters, out, r]</c>,
/// so that rows of one pass can
/// carry different adapters and several users can train at once. One adapter is a bank of one. Owns its tensors.
/// </summary>
public sealed class AdapterBank : IDisposable
{
    readonly List<string> _order;
    readonly Dictionary<string, LoraPair> _pairs;
    readonly Dictionary<string, int> _ordinals;

    /// <summary>Takes ownership of the pairs, given in model order.</summary>
    internal AdapterBank(LoraConfig config, IEnumerable<KeyValuePair<string, LoraPair>> pairs)
    {
        Config = config;
        var list = pairs.ToList();
        if (list.Count == 0)
        {
            throw new ArgumentException("An adapter needs at least one adapted layer.", nameof(pairs));
        }

        _pairs = new Dictionary<string, LoraPair>(list, StringComparer.Ordinal);
        _order = [.. list.Select(p => p.Key)];
        _ordinals = _order.Select((name, i) => (name, i)).ToDictionary(p => p.name, p => p.i, StringComparer.Ordinal);
        Count = (int)list[0].Value.A.shape[0];
    }

    /// <summary>Shape shared by the adapters of the bank.</summary>
    public LoraConfig Config { get; }

    /// <summary>Number of adapters.</summary>
    public int Count { get; }

    /// <summary>The factors by full layer name (<c>model.layers.0.self_attn.q_proj</c>), in model order.</summary>
    public IReadOnlyDictionary<string, LoraPair> Pairs => _pairs;

    /// <summary>Adapted layers in model order.</summary>
    public IReadOnlyList<string> LayerNames => _order;

    /// <summary>
    /// Counts up with every change of the factors through this object, so that copies made for speed know when they are
    /// stale.
    /// </summary>
    internal int Version { get; private set; }

    /// <summary>
    /// New adapters as PEFT initialises them: A uniform in +-1/sqrt(in), B zero; adapter i draws from seeds[i] alone.
    /// </summary>
    public static AdapterBank Create(DecoderConfig model, LoraConfig config, IReadOnlyList<long> seeds)
    {
        ArgumentOutOfRangeException.ThrowIfZero(seeds.Count);
        config.Validate();
        var layers = LoraTargets.Select(model, config.TargetModules);
        var singles = seeds.Select(seed => CreateOne(layers, config, seed)).ToList();
        try
        {
            return Stack(singles);
        }
        finally
        {
            foreach (var single in singles)
            {
                single.Dispose();
            }
        }
    }

    static AdapterBank CreateOne(IReadOnlyList<LinearLayer> layers, LoraConfig config, long seed)
    {
        using var generator = new Generator(unchecked((ulong)seed), CPU);
        return new AdapterBank(
            config,
            layers
                .Select(layer =>
                {
                    using var scope = NewDisposeScope();
                    var bound = 1 / Math.Sqrt(layer.Inputs);
                    var a = rand([1, config.Rank, layer.Inputs], dtype: ScalarType.Float32, generator: generator)
                        .mul_(Scalars.Of(2 * bound))
                        .sub_(Scalars.Of(bound));
                    var b = zeros([1, layer.Outputs, config.Rank], dtype: ScalarType.Float32);
                    return KeyValuePair.Create(
                        layer.Name,
                        new LoraPair(a.DetachFromDisposeScope(), b.DetachFromDisposeScope())
                    );
                })
                .ToList()
        );
    }

    /// <summary>
    /// Copies adapters of one shape into one bank. Throws where ranks, scalings or adapted layers differ.
    /// </summary>
    public static AdapterBank Stack(IReadOnlyList<AdapterBank> adapters)
    {
        ArgumentOutOfRangeException.ThrowIfZero(adapters.Count);
        var first = adapters[0];
        foreach (var other in adapters)
        {
            first.ThrowIfDifferentShape(other);
        }

        using var noGrad = no_grad();
        Tensor Copy(Func<AdapterBank, Tensor> factor) => cat([.. adapters.Select(factor)], 0).DetachFromDisposeScope();
        return new AdapterBank(
            first.Config,
            first
                ._order.Select(name =>
                    KeyValuePair.Create(name, new LoraPair(Copy(b => b._pairs[name].A), Copy(b => b._pairs[name].B)))
                )
                .ToList()
        );
    }

    /// <summary>A copy of one adapter as a bank of one.</summary>
    public AdapterBank Extract(int index)
    {
        ThrowIfOutOfRange(index);
        using var noGrad = no_grad();
        Tensor Copy(Tensor factor)
        {
            using var part = factor.narrow(0, index, 1);
            return part.clone().DetachFromDisposeScope();
        }
        return new AdapterBank(
            Config,
            _order
                .Select(name => KeyValuePair.Create(name, new LoraPair(Copy(_pairs[name].A), Copy(_pairs[name].B))))
                .ToList()
        );
    }

    /// <summary>
    /// A bank on the same memory whose factors are leaves of their own: changes of one are seen through the other,
    /// gradients are not.
    /// </summary>
    internal AdapterBank Alias() =>
        new(
            Config,
            _order
                .Select(name =>
                    KeyValuePair.Create(
                        name,
                        new LoraPair(
                            _pairs[name].A.detach().DetachFromDisposeScope(),
                            _pairs[name].B.detach().DetachFromDisposeScope()
                        )
                    )
                )
                .ToList()
        );

    /// <summary>
    /// The bank on a device: itself where it lies there, else a copy, in whose favour this one is disposed of.
    /// </summary>
    public AdapterBank MoveTo(Device device)
    {
        if (Parameters()[0].device_type == device.type)
        {
            return this;
        }

        using var noGrad = no_grad();
        using (this)
        {
            return new AdapterBank(
                Config,
                _order
                    .Select(name =>
                        KeyValuePair.Create(
                            name,
                            new LoraPair(
                                _pairs[name].A.to(device).DetachFromDisposeScope(),
                                _pairs[name].B.to(device).DetachFromDisposeScope()
                            )
                        )
                    )
                    .ToList()
            );
        }
    }

    /// <summary>
    /// Overwrites the factors with those of a bank of the same shape and number, in place: leaves stay leaves.
    /// </summary>
    public void CopyFrom(AdapterBank source)
    {
        ThrowIfDifferentShape(source);
        if (source.Count != Count)
        {
            throw new ArgumentException($"The source holds {source.Count} adapters; expected {Count}.", nameof(source));
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (to, from) in Parameters().Zip(source.Parameters()))
        {
            to.copy_(from);
        }

        Version++;
    }

    /// <summary>A and B of every adapted layer, in model order, A before B; this object owns them.</summary>
    public IReadOnlyList<Tensor> Parameters() =>
        [.. _order.SelectMany(name => new[] { _pairs[name].A, _pairs[name].B })];

    /// <summary>Makes every factor a leaf that autograd tracks (or none).</summary>
    public void RequireGrad(bool value)
    {
        foreach (var factor in Parameters())
        {
            factor.requires_grad = value;
        }

        Version++;
    }

    /// <summary>Position of a layer in model order, or -1 where it is not adapted.</summary>
    internal int IndexOfLayer(string layer) => _ordinals.GetValueOrDefault(layer, -1);

    internal void ThrowIfOutOfRange(int index)
    {
        if (index < 0 || index >= Count)
        {
            throw new ArgumentOutOfRangeException(nameof(index), $"Adapter {index} is not in a bank of {Count}.");
        }
    }

    void ThrowIfDifferentShape(AdapterBank other)
    {
        if (
            other.Config.Rank != Config.Rank
            || other.Config.Scaling != Config.Scaling
            || !other._order.SequenceEqual(_order, StringComparer.Ordinal)
        )
        {
            throw new ArgumentException(
                $"The adapters differ: rank {other.Config.Rank}, scaling {other.Config.Scaling}, {other._order.Count} layers; expected rank {Config.Rank}, scaling {Config.Scaling}, the same {_order.Count} layers."
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var factor in Parameters())
        {
            factor.Dispose();
        }
    }
}

/// <summary>The two factors of one adapted linear layer for one or several adapters: delta W = scaling * B A.</summary>
/// <param name="a">A <c>[adapters, r, in]</c> float32.</param>
/// <param name="b">B <c>[adapters, out, r]</c> float32.</param>
public sealed class LoraPair(Tensor a, Tensor b)
{
    readonly DecodeLora.Factors? _decodeFactors = DecodeLora.Factors.TryCreate(a, b);

    /// <summary>A <c>[adapters, r, in]</c> float32.</summary>
    public Tensor A { get; } = a;

    /// <summary>B <c>[adapters, out, r]</c> float32.</summary>
    public Tensor B { get; } = b;

    /// <summary>Where a kernel finds the factors; null where they are not of its kind.</summary>
    internal DecodeLora.Factors? DecodeFactors => _decodeFactors;
}
