using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>The tensors of an adapter's file by the layers that they belong to, checked against the model.</summary>
/// <param name="file">The file, which must stay open while tensors are read.</param>
/// <param name="layers">The layers that may be adapted, by name.</param>
/// <param name="config">What the adapter's configuration says.</param>
sealed class AdapterTensors(SafetensorsFile file, IReadOnlyDictionary<string, LinearLayer> layers, LoraConfig config)
{
    const string Prefix = "base_model.model.";
    const string SuffixA = ".lora_A.weight";
    const string SuffixB = ".lora_B.weight";
    const string EmbeddingSuffixA = ".lora_embedding_A";
    const string EmbeddingSuffixB = ".lora_embedding_B";
    const string WeightSuffix = ".weight";

    /// <summary>
    /// Copies of the base's embedding or head, which PEFT writes beside adapters of these or beside modules to save.
    /// </summary>
    static readonly string[] BaseSuffixes = [".base_layer.weight", ".original_module.weight"];

    static readonly (string Suffix, bool IsA, bool IsEmbedding)[] FactorSuffixes =
    [
        (SuffixA, true, false),
        (SuffixB, false, false),
        (EmbeddingSuffixA, true, true),
        (EmbeddingSuffixB, false, true),
    ];

    readonly Dictionary<string, FactorNames> _factors = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> _saved = new(StringComparer.Ordinal);

    /// <summary>Finds and checks the tensors of a file.</summary>
    /// <exception cref="ModelFileException">One is not known, of another shape, missing or there twice.</exception>
    public static AdapterTensors Find(SafetensorsFile file, IEnumerable<LinearLayer> layers, LoraConfig config)
    {
        var byName = layers.ToDictionary(layer => layer.Name, StringComparer.Ordinal);
        var tensors = new AdapterTensors(file, byName, config);
        foreach (var entry in file.Entries)
        {
            tensors.Add(entry);
        }

        tensors.RequireWholePairs();
        return tensors;
    }

    /// <summary>Layers that have factors.</summary>
    public IReadOnlyCollection<string> AdaptedLayers => _factors.Keys;

    /// <summary>Names that PEFT's files have for the factors of a layer.</summary>
    public static (string A, string B) GetFactorNames(string layer) =>
        layer == WeightLayout.EmbeddingLayer
            ? (Prefix + layer + EmbeddingSuffixA, Prefix + layer + EmbeddingSuffixB)
            : (Prefix + layer + SuffixA, Prefix + layer + SuffixB);

    /// <summary>Whether a tensor is a copy of the base's, which nobody reads.</summary>
    public static bool IsOfBase(string name) =>
        Array.Exists(BaseSuffixes, suffix => name.EndsWith(suffix, StringComparison.Ordinal));

    /// <summary>Name that PEFT's files have for the weight that is saved in place of a layer's.</summary>
    public static string GetSavedName(string layer) => Prefix + layer + WeightSuffix;

    /// <summary>The factors of a layer as float32 <c>[1, ...]</c>, copied so that they may train.</summary>
    public LoraPair ReadPair(string layer) => new(Read(_factors[layer].A!), Read(_factors[layer].B!));

    /// <summary>The modules to save, copied; null where there are none.</summary>
    /// <param name="areTied">Whether embedding and head are one; the file may then hold either, or both alike.</param>
    /// <exception cref="ModelFileException">One is missing, or tied ones differ.</exception>
    public SavedModules? ReadSaved(bool areTied)
    {
        if (config.SavedLayers.Count == 0)
        {
            return null;
        }

        if (!areTied)
        {
            return SavedModules.Create(config.SavedLayers, areTied: false, layer => Read(GetSaved(layer)));
        }

        var name = _saved.GetValueOrDefault(WeightLayout.EmbeddingLayer) ?? GetSaved(WeightLayout.HeadLayer);
        var saved = SavedModules.Create([WeightLayout.EmbeddingLayer], areTied: true, _ => Read(name))!;
        if (_saved.GetValueOrDefault(WeightLayout.HeadLayer) is { } head && head != name)
        {
            using var other = Read(head);
            if (!other.Equals(saved.Embedding!))
            {
                saved.Dispose();
                throw NotTied(head);
            }
        }

        return saved;
    }

    /// <summary>Throws unless the factors of head and embedding are those of one weight.</summary>
    /// <exception cref="ModelFileException">They are not.</exception>
    public void RequireTied(LoraPair embedding, LoraPair head)
    {
        using var scope = NewDisposeScope();
        var areTied = embedding.A.transpose(1, 2).Equals(head.B) && embedding.B.transpose(1, 2).Equals(head.A);
        if (!areTied)
        {
            throw NotTied(WeightLayout.HeadLayer);
        }
    }

    ModelFileException NotTied(string name) =>
        new(
            file.Path,
            name,
            $"differs from that of {WeightLayout.EmbeddingLayer}, though {AdapterConfigFile.WeightTyingKey} is true: "
                + "the two are one weight of the model."
        );

    string GetSaved(string layer) =>
        _saved.GetValueOrDefault(layer)
        ?? throw new ModelFileException(
            file.Path,
            GetSavedName(layer),
            $"is missing, though {AdapterConfigFile.ModulesToSaveKey} names this module."
        );

    void Add(TensorEntry entry)
    {
        if (IsCopyOfBase(entry))
        {
            return;
        }

        if (FindSavedLayer(entry.Name) is { } saved)
        {
            CheckEntry(entry, [layers[WeightLayout.HeadLayer].Outputs, layers[WeightLayout.HeadLayer].Inputs], "model");
            RequireOnce(_saved.TryAdd(saved, entry.Name), entry);
            return;
        }

        var (layer, isA) = ParseFactorName(entry.Name);
        var linear =
            layers.GetValueOrDefault(layer)
            ?? throw new ModelFileException(
                file.Path,
                entry.Name,
                $"the model has no linear layer {layer}: this adapter belongs to another model."
            );
        var rank = config.GetRank(layer);
        CheckEntry(entry, isA ? [rank, linear.Inputs] : [linear.Outputs, rank], $"model and rank {rank}");
        var names = _factors.GetValueOrDefault(layer);
        RequireOnce((isA ? names.A : names.B) is null, entry);
        _factors[layer] = isA ? names with { A = entry.Name } : names with { B = entry.Name };
    }

    void RequireOnce(bool isFirst, TensorEntry entry)
    {
        if (!isFirst)
        {
            throw new ModelFileException(file.Path, entry.Name, "occurs twice under different prefixes.");
        }
    }

    void RequireWholePairs()
    {
        if (_factors.Count == 0)
        {
            throw new ModelFileException(file.Path, "has no lora_A and lora_B tensors.");
        }

        foreach (var (layer, names) in _factors)
        {
            if (names.A is null || names.B is null)
            {
                var missing = names.A is null ? "A" : "B";
                throw new ModelFileException(file.Path, layer, $"lora_{missing}.weight is missing.");
            }
        }
    }

    void CheckEntry(TensorEntry entry, long[] expected, string implied)
    {
        if (!entry.Shape.SequenceEqual(expected))
        {
            throw new ModelFileException(
                file.Path,
                entry.Name,
                $"has shape [{string.Join(", ", entry.Shape)}]; {implied} imply [{string.Join(", ", expected)}]."
            );
        }

        if (!entry.Dtype.IsFloating)
        {
            throw new ModelFileException(
                file.Path,
                entry.Name,
                $"has dtype {entry.Dtype.Name}; expected BF16, F16 or F32."
            );
        }
    }

    /// <summary>The layer that a tensor of this name is a copy of; null where it is none.</summary>
    public static string? FindCopiedLayer(string name)
    {
        var suffix = Array.Find(BaseSuffixes, suffix => name.EndsWith(suffix, StringComparison.Ordinal));
        var layer = suffix is null ? "" : ToLayerName(name[..^suffix.Length]);
        return WeightLayout.IsEmbeddingOrHead(layer) ? layer : null;
    }

    /// <summary>The model's own weights count, whose shape such a copy must have.</summary>
    bool IsCopyOfBase(TensorEntry entry)
    {
        if (FindCopiedLayer(entry.Name) is null)
        {
            return false;
        }

        var head = layers[WeightLayout.HeadLayer];
        return entry.Shape.SequenceEqual([head.Outputs, head.Inputs])
            ? true
            : throw new ModelFileException(
                file.Path,
                entry.Name,
                $"has shape [{string.Join(", ", entry.Shape)}], but the model's is [{head.Outputs}, {head.Inputs}]: an "
                    + "adapter that comes with an embedding of another size is not supported."
            );
    }

    /// <summary>The layer that a tensor is to replace; null for a tensor of another kind.</summary>
    string? FindSavedLayer(string name)
    {
        if (!name.EndsWith(WeightSuffix, StringComparison.Ordinal))
        {
            return null;
        }

        var layer = ToLayerName(name[..^WeightSuffix.Length]);
        var isNamed = config.SavedLayers.Contains(layer);
        return
            isNamed
            || (config.EnsureWeightTying && config.SavedLayers.Count > 0 && WeightLayout.IsEmbeddingOrHead(layer))
            ? layer
            : null;
    }

    (string Layer, bool IsA) ParseFactorName(string name)
    {
        foreach (var (suffix, isA, isEmbedding) in FactorSuffixes)
        {
            if (
                name.StartsWith(Prefix, StringComparison.Ordinal)
                && name.EndsWith(suffix, StringComparison.Ordinal)
                && ToLayerName(name[..^suffix.Length]) is var layer
                && layer == WeightLayout.EmbeddingLayer == isEmbedding
            )
            {
                return (layer, isA);
            }
        }

        throw new ModelFileException(
            file.Path,
            name,
            $"is not supported in an adapter; expected {Prefix}LAYER.lora_A.weight or lora_B.weight."
        );
    }

    static string ToLayerName(string prefixed)
    {
        var name = prefixed.StartsWith(Prefix, StringComparison.Ordinal) ? prefixed[Prefix.Length..] : prefixed;
        return WeightLayout.ToCanonicalName(name) ?? name;
    }

    Tensor Read(string name)
    {
        using var mapped = file.Read(name);
        using var view = mapped.unsqueeze(0);
        return view.to(ScalarType.Float32, copy: true);
    }

    readonly record struct FactorNames(string? A, string? B);
}
