using CoPe.Modeling;
using CoPe.Modeling.Safetensors;

namespace CoPe.Adapters;

/// <summary>PEFT's adapter folder: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
public static class AdapterFile
{
    internal const string ConfigFileName = "adapter_config.json";
    internal const string WeightsFileName = "adapter_model.safetensors";
    const string Prefix = "base_model.model.";

    /// <summary>
    /// Reads an adapter for a model, checking names and shapes against it, as a bank of one with float32 factors, owned
    /// by the caller.
    /// Throws <see cref="ModelFileException"/>, naming file and tensor, for an adapter that is malformed, of another
    /// model, or uses what this library does not compute.
    /// </summary>
    public static AdapterBank Read(string folder, DecoderConfig model)
    {
        if (!File.Exists(Path.Combine(folder, ConfigFileName)))
        {
            throw new ModelFileException(
                folder,
                $"is no adapter's folder; expected an adapter with {ConfigFileName} and {WeightsFileName}."
            );
        }

        var json = ConfigJson.Read(Path.Combine(folder, ConfigFileName));
        var (config, targets) = (AdapterConfigFile.Read(json), new AdapterTargets(json));
        using var file = SafetensorsFile.Open(Path.Combine(folder, WeightsFileName));
        var layers = WeightLayout.ListLinearLayers(model).ToList();
        var names = FindFactorNames(file, layers.ToDictionary(l => l.Name, StringComparer.Ordinal), config.Rank);
        if (names.Count == 0)
        {
            throw new ModelFileException(file.Path, "has no lora_A and lora_B tensors.");
        }

        foreach (var (layer, pair) in names)
        {
            if (pair.A is null || pair.B is null)
            {
                throw new ModelFileException(
                    file.Path,
                    layer,
                    $"lora_{(pair.A is null ? "A" : "B")}.weight is missing."
                );
            }
        }

        targets.Check(file.Path, layers, names.Keys);
        var pairs = layers
            .Where(layer => names.ContainsKey(layer.Name))
            .Select(layer =>
                KeyValuePair.Create(
                    layer.Name,
                    new LoraPair(ReadFactor(file, names[layer.Name].A!), ReadFactor(file, names[layer.Name].B!))
                )
            )
            .ToList();
        return new AdapterBank(
            config with
            {
                TargetModules = ChooseTargetModules(model, [.. pairs.Select(pair => pair.Key)]),
            },
            pairs
        );
    }

    /// <summary>
    /// The shortest names that mean these layers and no others: of an adapter on some layers only, the layers' own.
    /// </summary>
    static List<string> ChooseTargetModules(DecoderConfig model, List<string> adapted)
    {
        List<string> shortNames = [.. adapted.Select(name => name[(name.LastIndexOf('.') + 1)..]).Distinct()];
        return LoraTargets.Select(model, shortNames).Select(layer => layer.Name).SequenceEqual(adapted)
            ? shortNames
            : adapted;
    }

    /// <summary>
    /// Writes adapter <paramref name="index"/> of a bank in PEFT's layout, both files aside first and then renamed; the
    /// weights first, so that a folder with a configuration is whole.
    /// </summary>
    public static void Write(string folder, AdapterBank bank, int index, string baseModelName)
    {
        using var one = bank.Extract(index);
        var views = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            foreach (var name in one.LayerNames)
            {
                views[$"{Prefix}{name}.lora_A.weight"] = one.Pairs[name].A.squeeze(0).DetachFromDisposeScope();
                views[$"{Prefix}{name}.lora_B.weight"] = one.Pairs[name].B.squeeze(0).DetachFromDisposeScope();
            }
            SafetensorsWriter.Write(Path.Combine(folder, WeightsFileName), views);
            AdapterConfigFile.Write(Path.Combine(folder, ConfigFileName), bank.Config, baseModelName);
        }
        finally
        {
            foreach (var view in views.Values)
            {
                view.Dispose();
            }
        }
    }

    static Dictionary<string, (string? A, string? B)> FindFactorNames(
        SafetensorsFile file,
        Dictionary<string, LinearLayer> layers,
        int rank
    )
    {
        var names = new Dictionary<string, (string? A, string? B)>(StringComparer.Ordinal);
        foreach (var entry in file.Entries)
        {
            var (layer, isA) = ParseFactorName(file.Path, entry.Name);
            if (layer == "lm_head")
            {
                throw new ModelFileException(
                    file.Path,
                    entry.Name,
                    "adapts the head, which is not supported; expected linear layers of attention and feed-forward blocks."
                );
            }

            if (!layers.TryGetValue(layer, out var linear))
            {
                throw new ModelFileException(
                    file.Path,
                    entry.Name,
                    $"the model has no linear layer {layer}: this adapter belongs to another model."
                );
            }

            long[] expected = isA ? [rank, linear.Inputs] : [linear.Outputs, rank];
            if (!entry.Shape.SequenceEqual(expected))
            {
                throw new ModelFileException(
                    file.Path,
                    entry.Name,
                    $"has shape [{string.Join(", ", entry.Shape)}]; model and rank {rank} imply [{string.Join(", ", expected)}]."
                );
            }

            if (!SafetensorsDtype.IsFloating(entry.Dtype))
            {
                throw new ModelFileException(
                    file.Path,
                    entry.Name,
                    $"has dtype {entry.Dtype}; expected BF16, F16 or F32."
                );
            }

            var pair = names.GetValueOrDefault(layer);
            if ((isA ? pair.A : pair.B) is not null)
            {
                throw new ModelFileException(file.Path, entry.Name, "occurs twice under different prefixes.");
            }

            names[layer] = isA ? (entry.Name, pair.B) : (pair.A, entry.Name);
        }
        return names;
    }

    static (string Layer, bool IsA) ParseFactorName(string file, string name)
    {
        var isA = name.EndsWith(".lora_A.weight", StringComparison.Ordinal);
        if (
            !name.StartsWith(Prefix, StringComparison.Ordinal)
            || !(isA || name.EndsWith(".lora_B.weight", StringComparison.Ordinal))
        )
        {
            throw new ModelFileException(
                file,
                name,
                $"is not supported in an adapter; expected {Prefix}LAYER.lora_A.weight or lora_B.weight."
            );
        }

        var layer = name[Prefix.Length..^".lora_A.weight".Length];
        return (WeightLayout.ToCanonicalName(layer) ?? layer, isA);
    }

    /// <summary>A factor as float32 <c>[1, ...]</c>, copied out of the file so that it may train.</summary>
    static Tensor ReadFactor(SafetensorsFile file, string name)
    {
        using var mapped = file.Read(name);
        using var view = mapped.unsqueeze(0);
        return view.to(TorchSharp.torch.ScalarType.Float32, copy: true).DetachFromDisposeScope();
    }
}
