using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>PEFT's adapter folder: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
/// <example>
/// <code>
/// using var adapter = AdapterFile.Read("runs/demo/sft/1", model.Config);
/// AdapterFile.Write("copy/of/user-1", adapter, index: 0, baseModelName: "models/cope-tiny");
/// </code>
/// </example>
public static class AdapterFile
{
    internal const string ConfigFileName = "adapter_config.json";
    internal const string WeightsFileName = "adapter_model.safetensors";

    const string Prefix = "base_model.model.";
    const string SuffixA = ".lora_A.weight";
    const string SuffixB = ".lora_B.weight";
    const string EmbeddingSuffixA = ".lora_embedding_A";
    const string EmbeddingSuffixB = ".lora_embedding_B";

    /// <summary>A copy of the base's embedding or head, which PEFT writes beside adapters of these.</summary>
    const string BaseSuffix = ".base_layer.weight";

    /// <summary>Reads an adapter for a model, checking names and shapes against it.</summary>
    /// <param name="folder">The adapter's folder.</param>
    /// <param name="model">The model that it adapts.</param>
    /// <returns>A bank of one with float32 factors, owned by the caller.</returns>
    /// <exception cref="ModelFileException">
    /// The adapter is malformed, of another model, or uses what this library does not compute; names file and tensor.
    /// </exception>
    public static AdapterBank Read(string folder, DecoderConfig model)
    {
        var configFile = Path.Combine(folder, ConfigFileName);
        if (!File.Exists(configFile))
        {
            throw new ModelFileException(
                folder,
                $"is no adapter's folder; expected an adapter with {ConfigFileName} and {WeightsFileName}."
            );
        }

        var json = ConfigJson.Read(configFile);
        var config = AdapterConfigFile.Read(json);
        CheckInvocationTokens(configFile, config, model);
        var targets = new AdapterTargets(json);
        using var file = SafetensorsFile.Open(Path.Combine(folder, WeightsFileName));
        var layers = WeightLayout.ListAdaptable(model).ToList();
        var factors = FindFactors(file, layers, config);
        targets.Check(file.Path, layers, factors.Keys);
        CheckEmbeddingAndHead(json, config, factors.Keys);

        List<string> adapted = [.. layers.Select(layer => layer.Name).Where(factors.ContainsKey)];
        return AdapterBank.Build(
            [config with { TargetModules = ChooseTargetModules(model, adapted) }],
            adapted,
            layer => new LoraPair(ReadFactor(file, factors[layer].A!), ReadFactor(file, factors[layer].B!))
        );
    }

    /// <summary>
    /// Reads adapters of one shape into one bank, in the order given; beside it, no more than two are in memory.
    /// </summary>
    /// <param name="folders">At least one adapter's folder.</param>
    /// <param name="model">The model that they adapt.</param>
    /// <returns>The bank, owned by the caller.</returns>
    /// <exception cref="ModelFileException">An adapter is malformed or of another model.</exception>
    /// <exception cref="ArgumentException">Ranks, scalings or adapted layers differ.</exception>
    internal static AdapterBank ReadAll(IReadOnlyList<string> folders, DecoderConfig model)
    {
        ArgumentOutOfRangeException.ThrowIfZero(folders.Count);
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var first = Read(folders[0], model);
        var configs = new List<LoraConfig>(folders.Count) { first.Config };
        List<Tensor> factors = [.. first.Parameters().Select(Extend)];
        foreach (var folder in folders.Skip(1))
        {
            using var one = Read(folder, model);
            first.ThrowIfDifferentShape(one);
            Copy(one, configs.Count);
            configs.Add(one.Config);
        }

        Copy(first, 0);
        var next = 0;
        return AdapterBank.Build(configs, first.LayerNames, _ => new LoraPair(factors[next++], factors[next++]));

        Tensor Extend(Tensor factor) => empty([folders.Count, .. factor.shape[1..]], dtype: factor.dtype);

        void Copy(AdapterBank one, int index)
        {
            foreach (var (to, from) in factors.Zip(one.Parameters()))
            {
                using var place = to.narrow(0, index, 1);
                place.copy_(from);
            }
        }
    }

    /// <summary>Which positions the adapter of a folder acts on.</summary>
    /// <exception cref="ModelFileException">Its configuration cannot be used.</exception>
    internal static ActivePositions ReadActivePositions(string folder) =>
        AdapterConfigFile.Read(ConfigJson.Read(Path.Combine(folder, ConfigFileName))).Active;

    static void CheckEmbeddingAndHead(ConfigJson json, LoraConfig config, IEnumerable<string> adapted)
    {
        if (adapted.FirstOrDefault(WeightLayout.IsEmbeddingOrHead) is not { } layer)
        {
            return;
        }

        const string TyingKey = "ensure_weight_tying";
        if (json.GetBoolean(TyingKey) == true)
        {
            throw json.Unsupported(TyingKey, $"true beside an adapter of {layer}", "false");
        }

        if (config.Active == ActivePositions.Answer)
        {
            var found = $"with an adapter of {layer}";
            throw json.Unsupported(AdapterConfigFile.InvocationTokensKey, found, "adapters of the layers between");
        }
    }

    static void CheckInvocationTokens(string configFile, LoraConfig config, DecoderConfig model)
    {
        foreach (var token in config.InvocationTokens ?? [])
        {
            if (token < 0 || token >= model.VocabSize)
            {
                throw new ModelFileException(
                    configFile,
                    AdapterConfigFile.InvocationTokensKey,
                    $"holds the id {token}, but the model's ids are 0 to {model.VocabSize - 1}: "
                        + "this adapter belongs to another model."
                );
            }
        }
    }

    /// <summary>Whether a file of weights is one, with all of its bytes.</summary>
    internal static bool HasWholeWeights(string path)
    {
        try
        {
            using var file = SafetensorsFile.Open(path);
            return true;
        }
        catch (ModelFileException)
        {
            return false;
        }
    }

    /// <summary>
    /// The shortest names that mean these layers and no others: of an adapter on some layers only, the layers' own.
    /// </summary>
    static List<string> ChooseTargetModules(DecoderConfig model, List<string> adapted)
    {
        List<string> shortNames = [.. adapted.Select(name => name[(name.LastIndexOf('.') + 1)..]).Distinct()];
        var meant = LoraTargets.Select(model, shortNames).Select(layer => layer.Name);
        return meant.SequenceEqual(adapted) ? shortNames : adapted;
    }

    /// <summary>
    /// Writes an adapter in PEFT's layout. Both files are written aside first and then renamed, the weights before the
    /// configuration, so that a folder with a configuration is complete.
    /// </summary>
    /// <param name="folder">The folder, which must exist.</param>
    /// <param name="bank">The bank that holds the adapter; still the caller's.</param>
    /// <param name="index">Which adapter of the bank.</param>
    /// <param name="baseModelName">What the configuration says of the base model: a name on the hub or a path.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bank has no such adapter.</exception>
    public static void Write(string folder, AdapterBank bank, int index, string baseModelName)
    {
        using var one = bank.Extract(index);
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var name in one.LayerNames)
        {
            var isEmbedding = name == WeightLayout.EmbeddingLayer;
            tensors[Prefix + name + (isEmbedding ? EmbeddingSuffixA : SuffixA)] = one.Pairs[name].A.squeeze(0);
            tensors[Prefix + name + (isEmbedding ? EmbeddingSuffixB : SuffixB)] = one.Pairs[name].B.squeeze(0);
        }

        SafetensorsWriter.Write(Path.Combine(folder, WeightsFileName), tensors);
        AdapterConfigFile.Write(Path.Combine(folder, ConfigFileName), one.Config, baseModelName);
    }

    /// <summary>Names of the two factors' tensors, by layer.</summary>
    static Dictionary<string, FactorNames> FindFactors(
        SafetensorsFile file,
        List<LinearLayer> layers,
        LoraConfig config
    )
    {
        var layerByName = layers.ToDictionary(layer => layer.Name, StringComparer.Ordinal);
        var factors = new Dictionary<string, FactorNames>(StringComparer.Ordinal);
        foreach (var entry in file.Entries)
        {
            if (IsCopyOfBase(file.Path, entry, layerByName))
            {
                continue;
            }

            var (layer, isA) = ParseFactorName(file.Path, entry.Name);
            CheckEntry(file.Path, entry, layerByName.GetValueOrDefault(layer), layer, isA, config.GetRank(layer));
            var names = factors.GetValueOrDefault(layer);
            if ((isA ? names.A : names.B) is not null)
            {
                throw new ModelFileException(file.Path, entry.Name, "occurs twice under different prefixes.");
            }

            factors[layer] = isA ? names with { A = entry.Name } : names with { B = entry.Name };
        }

        if (factors.Count == 0)
        {
            throw new ModelFileException(file.Path, "has no lora_A and lora_B tensors.");
        }

        foreach (var (layer, names) in factors)
        {
            if (names.A is null || names.B is null)
            {
                var missing = names.A is null ? "A" : "B";
                throw new ModelFileException(file.Path, layer, $"lora_{missing}.weight is missing.");
            }
        }

        return factors;
    }

    static void CheckEntry(string file, TensorEntry entry, LinearLayer? linear, string layer, bool isA, int rank)
    {
        if (linear is null)
        {
            throw new ModelFileException(
                file,
                entry.Name,
                $"the model has no linear layer {layer}: this adapter belongs to another model."
            );
        }

        long[] expected = isA ? [rank, linear.Inputs] : [linear.Outputs, rank];
        if (!entry.Shape.SequenceEqual(expected))
        {
            throw new ModelFileException(
                file,
                entry.Name,
                $"has shape [{string.Join(", ", entry.Shape)}]; model and rank {rank} imply "
                    + $"[{string.Join(", ", expected)}]."
            );
        }

        if (!entry.Dtype.IsFloating)
        {
            throw new ModelFileException(file, entry.Name, $"has dtype {entry.Dtype.Name}; expected BF16, F16 or F32.");
        }
    }

    /// <summary>The model's own weights count, whose shape such a copy must have.</summary>
    static bool IsCopyOfBase(string file, TensorEntry entry, Dictionary<string, LinearLayer> layers)
    {
        if (!entry.Name.EndsWith(BaseSuffix, StringComparison.Ordinal))
        {
            return false;
        }

        var layer = ToLayerName(entry.Name[..^BaseSuffix.Length]);
        if (!WeightLayout.IsEmbeddingOrHead(layer))
        {
            return false;
        }

        var head = layers[WeightLayout.HeadLayer];
        return entry.Shape.SequenceEqual([head.Outputs, head.Inputs])
            ? true
            : throw new ModelFileException(
                file,
                entry.Name,
                $"has shape [{string.Join(", ", entry.Shape)}], but the model's is [{head.Outputs}, {head.Inputs}]: an "
                    + "adapter that comes with an embedding of its own is not supported."
            );
    }

    static (string Layer, bool IsA) ParseFactorName(string file, string name)
    {
        (string Suffix, bool IsA, bool IsEmbedding)[] kinds =
        [
            (SuffixA, true, false),
            (SuffixB, false, false),
            (EmbeddingSuffixA, true, true),
            (EmbeddingSuffixB, false, true),
        ];
        foreach (var (suffix, isA, isEmbedding) in kinds)
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
            file,
            name,
            $"is not supported in an adapter; expected {Prefix}LAYER.lora_A.weight or lora_B.weight."
        );
    }

    static string ToLayerName(string prefixed)
    {
        var name = prefixed.StartsWith(Prefix, StringComparison.Ordinal) ? prefixed[Prefix.Length..] : prefixed;
        return WeightLayout.ToCanonicalName(name) ?? name;
    }

    /// <summary>A factor as float32 <c>[1, ...]</c>, copied out of the file so that it may train.</summary>
    static Tensor ReadFactor(SafetensorsFile file, string name)
    {
        using var mapped = file.Read(name);
        using var view = mapped.unsqueeze(0);
        return view.to(ScalarType.Float32, copy: true);
    }

    readonly record struct FactorNames(string? A, string? B);
}
