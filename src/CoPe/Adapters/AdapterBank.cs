using CoPe.Modeling;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>
/// Adapters of one shape, stacked: each adapted layer holds A <c>[adapters, r, in]</c> and B <c>[adapters, out, r]</c>
/// in float32, so that rows of one pass can use different adapters and several users can train at once. One adapter is
/// a bank of one. Owns its tensors.
/// </summary>
/// <example>
/// <code>
/// var lora = new LoraConfig { Rank = 8, TargetModules = ["q_proj", "v_proj"] };
/// using var users = AdapterBank.Create(model.Config, lora, seeds: [1, 2, 3]);
/// using var second = users.Extract(1);
/// </code>
/// </example>
public sealed class AdapterBank : IDisposable
{
    readonly IReadOnlyList<LoraConfig> _configs;
    readonly List<string> _layerNames;
    readonly Dictionary<string, LoraPair> _pairs;
    readonly Dictionary<string, int> _layerIndex;
    readonly Dictionary<string, double> _scalings;

    /// <summary>
    /// Takes ownership of the pairs, given in model order. Of the adapters' configurations, one each, only the
    /// positions that they act on may differ.
    /// </summary>
    internal AdapterBank(
        IReadOnlyList<LoraConfig> configs,
        IReadOnlyList<KeyValuePair<string, LoraPair>> pairs,
        SavedModules? saved = null
    )
    {
        if (pairs.Count == 0)
        {
            throw new ArgumentException("An adapter needs at least one adapted layer.", nameof(pairs));
        }

        _configs = configs;
        Saved = saved;
        ActsEverywhere = configs.All(config => config.Active == ActivePositions.Everywhere);
        if (!ActsEverywhere && (saved is not null || pairs.Any(pair => WeightLayout.IsEmbeddingOrHead(pair.Key))))
        {
            throw new ArgumentException(
                "An adapter that acts on the answer alone cannot adapt embedding or head; expected layers between.",
                nameof(configs)
            );
        }

        _pairs = new Dictionary<string, LoraPair>(pairs, StringComparer.Ordinal);
        _layerNames = [.. pairs.Select(pair => pair.Key)];
        _scalings = _layerNames.ToDictionary(name => name, configs[0].GetScaling, StringComparer.Ordinal);
        Shape = string.Join(
            '\n',
            pairs.Select(pair =>
                FormattableString.Invariant($"{pair.Key} {pair.Value.A.shape[1]} {_scalings[pair.Key]:R}")
            )
        );
        Identity = this;
        _layerIndex = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < _layerNames.Count; i++)
        {
            _layerIndex[_layerNames[i]] = i;
        }
    }

    /// <summary>Shape shared by the adapters of the bank.</summary>
    public LoraConfig Config => _configs[0];

    /// <summary>Adapted layers with their ranks and scalings: banks with equal ones can share a pass's level.</summary>
    internal string Shape { get; }

    /// <summary>
    /// What tells its adapters from others in cache keys: the bank itself or, where an adapter is read more than once,
    /// whatever names its content.
    /// </summary>
    internal object Identity { get; set; }

    /// <summary>Number of adapters.</summary>
    public int Count => _configs.Count;

    /// <summary>Whether no adapter acts on the answer alone.</summary>
    internal bool ActsEverywhere { get; }

    /// <summary>The invocation tokens of all adapters that act on the answer alone.</summary>
    internal IEnumerable<IReadOnlyList<int>> Invocations =>
        _configs.Select(config => config.InvocationTokens).OfType<IReadOnlyList<int>>().Distinct();

    /// <summary>
    /// Full names of the adapted layers, for example <c>model.layers.0.self_attn.q_proj</c>, in model order.
    /// </summary>
    public IReadOnlyList<string> LayerNames => _layerNames;

    /// <summary>The shape of one adapter, and the positions that it acts on.</summary>
    internal LoraConfig GetConfig(int index) => _configs[index];

    /// <summary>What the output of a layer's adapters is multiplied by.</summary>
    internal double GetScaling(string layer) => _scalings[layer];

    /// <summary>Embeddings and heads that the adapters have in place of the model's; null for none.</summary>
    internal SavedModules? Saved { get; }

    /// <summary>Whether the adapters adapt or replace the embedding or the head.</summary>
    internal bool TouchesEmbeddingOrHead => Saved is not null || _layerNames.Exists(WeightLayout.IsEmbeddingOrHead);

    /// <summary>Whether embedding and head of a model where these are one stay one.</summary>
    internal bool KeepsHeadTied => !TouchesEmbeddingOrHead || Config.EnsureWeightTying;

    /// <summary>The factors by full layer name.</summary>
    internal IReadOnlyDictionary<string, LoraPair> Pairs => _pairs;

    /// <summary>
    /// Counts up with every change of the factors through this object, so that copies made for speed know when they are
    /// stale.
    /// </summary>
    internal int Version { get; private set; }

    /// <summary>
    /// New adapters as PEFT initializes them: A uniform in +-1/sqrt(in), B zero; of the embedding A zero, B standard
    /// normal. Adapter i draws from seeds[i] alone.
    /// </summary>
    /// <param name="model">The model to adapt.</param>
    /// <param name="config">Shape of the adapters.</param>
    /// <param name="seeds">A seed for each adapter.</param>
    /// <returns>The bank, owned by the caller.</returns>
    /// <exception cref="ArgumentException">
    /// The shape is invalid, names no layer of the model, or there is no seed; or it has modules to save, which begin
    /// as the model's.
    /// </exception>
    public static AdapterBank Create(DecoderConfig model, LoraConfig config, IReadOnlyList<long> seeds)
    {
        if (config.ModulesToSave is { Count: > 0 })
        {
            throw new ArgumentException(
                "Modules to save begin as copies of the model's: create the adapters from the model, not from its "
                    + "configuration.",
                nameof(config)
            );
        }

        return NewAdapters.Create(model, config, seeds, createSaved: null);
    }

    /// <summary>
    /// The same, where the adapters may have modules to save: these begin as the model's, or as those of the adapter
    /// below.
    /// </summary>
    /// <param name="model">The model to adapt.</param>
    /// <param name="config">Shape of the adapters.</param>
    /// <param name="seeds">A seed for each adapter.</param>
    /// <param name="below">The adapter that the new ones are trained on top of; null for none.</param>
    /// <returns>The bank, owned by the caller.</returns>
    /// <exception cref="ArgumentException">
    /// The shape is invalid, names no layer of the model, or there is no seed.
    /// </exception>
    public static AdapterBank Create(
        CausalLm model,
        LoraConfig config,
        IReadOnlyList<long> seeds,
        AdapterBank? below = null
    ) => NewAdapters.Create(model.Config, config, seeds, () => NewAdapters.CopyModules(model, config, below));

    /// <summary>Copies adapters of one shape into one bank, in the order given.</summary>
    /// <param name="adapters">
    /// At least one bank; still the caller's. The adapters may act on different positions.
    /// </param>
    /// <returns>The bank, owned by the caller.</returns>
    /// <exception cref="ArgumentException">Ranks, scalings or adapted layers differ.</exception>
    public static AdapterBank Stack(IReadOnlyList<AdapterBank> adapters)
    {
        ArgumentOutOfRangeException.ThrowIfZero(adapters.Count);
        var first = adapters[0];
        foreach (var other in adapters)
        {
            first.ThrowIfDifferentShape(other);
        }

        using var noGrad = no_grad();
        return Build(
            [.. adapters.SelectMany(bank => bank._configs)],
            first._layerNames,
            name => new LoraPair(
                cat([.. adapters.Select(bank => bank._pairs[name].A)], 0),
                cat([.. adapters.Select(bank => bank._pairs[name].B)], 0)
            ),
            () => first.Saved is null ? null : StackSaved(adapters)
        );
    }

    static SavedModules? StackSaved(IReadOnlyList<AdapterBank> adapters)
    {
        var first = adapters[0].Saved!;
        return SavedModules.Create(
            [.. first.LayerNames],
            first.AreTied,
            layer => cat([.. adapters.Select(bank => bank.Saved!.Find(layer)!)], 0)
        );
    }

    /// <summary>A layer with a weight that is NaN or infinite; null where every number is finite.</summary>
    internal string? FindNonFinite()
    {
        using var noGrad = no_grad();
        return _layerNames.Find(name => !IsFinite(_pairs[name].A) || !IsFinite(_pairs[name].B))
            ?? Saved?.LayerNames.FirstOrDefault(name => !IsFinite(Saved.Find(name)!));

        static bool IsFinite(Tensor factor)
        {
            using var scope = NewDisposeScope();
            return factor.isfinite().all().cpu().item<bool>();
        }
    }

    /// <summary>A copy of one adapter as a bank of one.</summary>
    /// <param name="index">Which adapter.</param>
    /// <returns>The copy, owned by the caller.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The bank has no such adapter.</exception>
    public AdapterBank Extract(int index)
    {
        ThrowIfOutOfRange(index);
        using var noGrad = no_grad();
        return Map([_configs[index]], factor => factor.narrow(0, index, 1).clone());
    }

    /// <summary>
    /// The bank on a device: itself where it lies there, else a copy, and this one is disposed.
    /// </summary>
    /// <param name="device">Where the factors are to lie.</param>
    /// <returns>The bank there, owned by the caller.</returns>
    public AdapterBank MoveTo(Device device)
    {
        if (Parameters()[0].device_type == device.type)
        {
            return this;
        }

        using var noGrad = no_grad();
        using var source = this;
        return Map(_configs, factor => factor.to(device));
    }

    /// <summary>
    /// A bank on the same memory whose factors are leaves of their own: changes of one are seen through the other,
    /// gradients are not.
    /// </summary>
    internal AdapterBank Alias() => Map(_configs, factor => factor.detach());

    /// <summary>
    /// Overwrites the factors with those of a bank of the same shape and number, in place: leaves stay leaves.
    /// </summary>
    internal void CopyFrom(AdapterBank source)
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

    /// <summary>
    /// A and B of every adapted layer, in model order, A before B, then modules to save; this object owns them.
    /// </summary>
    public IReadOnlyList<Tensor> Parameters() =>
        [.. _layerNames.SelectMany(name => new[] { _pairs[name].A, _pairs[name].B }), .. Saved?.Parameters ?? []];

    /// <summary>Makes every factor a leaf that autograd tracks (or none).</summary>
    internal void RequireGrad(bool value)
    {
        foreach (var factor in Parameters())
        {
            factor.requires_grad = value;
        }

        Version++;
    }

    /// <summary>Position of a layer in model order, or -1 where it is not adapted.</summary>
    internal int IndexOfLayer(string layer) => _layerIndex.GetValueOrDefault(layer, -1);

    internal void ThrowIfOutOfRange(int index)
    {
        if (index < 0 || index >= Count)
        {
            throw new ArgumentOutOfRangeException(nameof(index), $"Adapter {index} is not in a bank of {Count}.");
        }
    }

    /// <summary>A bank of the same layers with other factors.</summary>
    AdapterBank Map(IReadOnlyList<LoraConfig> configs, Func<Tensor, Tensor> map) =>
        Build(
            configs,
            _layerNames,
            name => new LoraPair(map(_pairs[name].A), map(_pairs[name].B)),
            () => Saved?.Map(map)
        );

    /// <summary>
    /// A bank of what is made of each layer, and then of the modules to save; where one fails, nothing is left of the
    /// others.
    /// </summary>
    internal static AdapterBank Build(
        IReadOnlyList<LoraConfig> configs,
        IReadOnlyList<string> layerNames,
        Func<string, LoraPair> create,
        Func<SavedModules?> createSaved
    )
    {
        using var scope = NewDisposeScope();
        List<KeyValuePair<string, LoraPair>> pairs =
        [
            .. layerNames.Select(name => KeyValuePair.Create(name, create(name))),
        ];
        var bank = new AdapterBank(configs, pairs, createSaved());
        foreach (var factor in bank.Parameters())
        {
            factor.DetachFromDisposeScope();
        }

        return bank;
    }

    internal void ThrowIfDifferentShape(AdapterBank other)
    {
        var sameLayers = other._layerNames.SequenceEqual(_layerNames, StringComparer.Ordinal);
        if (!sameLayers)
        {
            throw new ArgumentException(
                $"The adapters differ: {other.Describe(null)}; expected {Describe(null)}, of the same names."
            );
        }

        if (_layerNames.Find(name => !HasSameShape(name)) is { } layer)
        {
            throw new ArgumentException($"The adapters differ: {other.Describe(layer)}; expected {Describe(layer)}.");
        }

        if (!SavedModules.HaveSameShape(Saved, other.Saved))
        {
            throw new ArgumentException($"The adapters differ: {other.DescribeSaved()}; expected {DescribeSaved()}.");
        }

        bool HasSameShape(string name) =>
            other._pairs[name].A.shape[1] == _pairs[name].A.shape[1] && other._scalings[name] == _scalings[name];
    }

    /// <summary>Shape of the adapters, of one layer or of all.</summary>
    string Describe(string? layer) =>
        layer is null
            ? $"{_layerNames.Count} layers of rank {Config.Rank}"
            : $"{layer} of rank {_pairs[layer].A.shape[1]}, scaling {_scalings[layer]}";

    string DescribeSaved() =>
        Saved is null
            ? "no modules to save"
            : $"{(Saved.AreTied ? "tied" : "separate")} modules to save {string.Join(", ", Saved.LayerNames)}";

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var factor in Parameters())
        {
            factor.Dispose();
        }

        Saved?.Dispose();
    }
}
