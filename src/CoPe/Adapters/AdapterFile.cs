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
        var tensors = AdapterTensors.Find(file, layers, config);
        List<string> adapted = [.. layers.Select(layer => layer.Name).Where(tensors.AdaptedLayers.Contains)];
        var areBothAdapted = adapted.Count(WeightLayout.IsEmbeddingOrHead) == 2;
        var isTied = config.EnsureWeightTying && model.TiedHead && (config.SavedLayers.Count > 0 || areBothAdapted);
        targets.Check(file.Path, layers, adapted, isTied && areBothAdapted);
        CheckEmbeddingAndHead(json, config, adapted, isTied);
        config = config with { TargetModules = ChooseTargetModules(model, adapted), EnsureWeightTying = isTied };
        var bank = AdapterBank.Build([config], adapted, tensors.ReadPair, () => tensors.ReadSaved(isTied));
        if (isTied && areBothAdapted)
        {
            RequireTied(bank, tensors);
        }

        return bank;
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
        return AdapterBank.Build(
            configs,
            first.LayerNames,
            _ => new LoraPair(factors[next++], factors[next++]),
            () => first.Saved?.Map(_ => factors[next++])
        );

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

    /// <summary>Memory that the factors of a folder's adapter take once they are read, in bytes.</summary>
    /// <exception cref="ModelFileException">Its weights are malformed.</exception>
    internal static long CountBytes(string folder)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, WeightsFileName));
        return file
            .Entries.Where(entry => !AdapterTensors.IsOfBase(entry.Name))
            .Sum(entry => sizeof(float) * entry.Shape.Aggregate(1L, (size, length) => size * length));
    }

    /// <summary>Which positions the adapter of a folder acts on.</summary>
    /// <exception cref="ModelFileException">Its configuration cannot be used.</exception>
    internal static ActivePositions ReadActivePositions(string folder) =>
        AdapterConfigFile.Read(ConfigJson.Read(Path.Combine(folder, ConfigFileName))).Active;

    /// <summary>
    /// Checks that the copies of embedding and head in an adapter's file, which PEFT loads in place of the base's, are
    /// the model's.
    /// </summary>
    /// <exception cref="ModelFileException">One differs: the adapter was trained on other weights.</exception>
    internal static void CheckCopiesOfBase(string folder, CausalLm model) =>
        CheckCopiesOfBase(folder, layer => FindWeight(layer, model.Config, model.Weights.Find));

    /// <summary>The same against a model's folder, whose weights are read only if there are copies.</summary>
    internal static void CheckCopiesOfBase(string folder, DecoderConfig model, string modelFolder)
    {
        var weights = new Lazy<Dictionary<string, Tensor>>(() =>
            CheckpointReader.Read(
                modelFolder,
                model,
                dtype: null,
                name => name is WeightLayout.Embedding or WeightLayout.Head
            )
        );
        try
        {
            CheckCopiesOfBase(folder, layer => FindWeight(layer, model, name => weights.Value.GetValueOrDefault(name)));
        }
        finally
        {
            var opened = weights.IsValueCreated ? weights.Value.Values.ToList() : [];
            opened.ForEach(weight => weight.Dispose());
        }
    }

    static Tensor? FindWeight(string layer, DecoderConfig model, Func<string, Tensor?> find) =>
        find(layer == WeightLayout.HeadLayer && !model.TiedHead ? WeightLayout.Head : WeightLayout.Embedding);

    static void CheckCopiesOfBase(string folder, Func<string, Tensor?> findWeight)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(Path.Combine(folder, WeightsFileName));
        foreach (var entry in file.Entries)
        {
            if (
                AdapterTensors.FindCopiedLayer(entry.Name) is { } layer
                && findWeight(layer) is { } weight
                && !AreAlike(weight.cpu(), file.Read(entry.Name))
            )
            {
                throw new ModelFileException(
                    file.Path,
                    entry.Name,
                    $"differs from the model's {layer}: this adapter was trained on another embedding, which PEFT "
                        + "would load with it. Load it with the model that it was trained on."
                );
            }
        }
    }

    /// <summary>Equal as far as the coarser of the two number types can tell.</summary>
    static bool AreAlike(Tensor weight, Tensor copy) =>
        weight.to(copy.dtype).Equals(copy) || copy.to(weight.dtype).Equals(weight);

    static void RequireTied(AdapterBank bank, AdapterTensors tensors)
    {
        try
        {
            tensors.RequireTied(bank.Pairs[WeightLayout.EmbeddingLayer], bank.Pairs[WeightLayout.HeadLayer]);
        }
        catch
        {
            bank.Dispose();
            throw;
        }
    }

    static void CheckEmbeddingAndHead(ConfigJson json, LoraConfig config, List<string> adapted, bool isTied)
    {
        foreach (var layer in adapted.Where(WeightLayout.IsEmbeddingOrHead))
        {
            if (config.SavedLayers.Contains(layer) || (isTied && config.SavedLayers.Count > 0))
            {
                throw json.Unsupported(
                    AdapterConfigFile.ModulesToSaveKey,
                    $"{layer}, which is adapted too",
                    "one of the two"
                );
            }

            if (config.Active == ActivePositions.Answer)
            {
                var found = $"with an adapter of {layer}";
                throw json.Unsupported(AdapterConfigFile.InvocationTokensKey, found, "adapters of the layers between");
            }
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
            var (nameOfA, nameOfB) = AdapterTensors.GetFactorNames(name);
            tensors[nameOfA] = one.Pairs[name].A.squeeze(0);
            tensors[nameOfB] = one.Pairs[name].B.squeeze(0);
        }

        // Tied ones are written under both names, as PEFT does.
        foreach (var name in one.Saved?.LayerNames ?? [])
        {
            tensors[AdapterTensors.GetSavedName(name)] = one.Saved!.Find(name)!.squeeze(0);
        }

        SafetensorsWriter.Write(Path.Combine(folder, WeightsFileName), tensors);
        AdapterConfigFile.Write(Path.Combine(folder, ConfigFileName), one.Config, baseModelName);
    }
}
