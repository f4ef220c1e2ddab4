using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Kernels.Torch;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>Merges adapters into base weights, in memory or as a model folder that Hugging Face tools load.</summary>
public static class AdapterMerge
{
    /// <summary>Bytes after which another weights file is begun, unless said otherwise.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    internal const string WeightSuffix = ".weight";

    const string ConfigFileName = "config.json";
    const string TyingKey = "tie_word_embeddings";
    const string TextConfigKey = "text_config";

    /// <summary>Keys of the number type in a model's configuration.</summary>
    static readonly string[] DtypeKeys = ["torch_dtype", "dtype"];

    static readonly JsonSerializerOptions ConfigLayout = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>
    /// Replaces a model's adapted weights by <c>W + scaling * B A</c>, rounded to the dtype of W, and embedding and
    /// head by the adapter's own where it has these; the others stay mapped. Where the model's head is its embedding
    /// and the adapter changes one of the two alone, the head becomes a weight of its own.
    /// </summary>
    /// <param name="model">The model, which owns the merged weights from now on.</param>
    /// <param name="bank">The adapters; still the caller's.</param>
    /// <param name="index">Which of them.</param>
    /// <exception cref="ArgumentOutOfRangeException">The bank has no such adapter.</exception>
    /// <exception cref="ArgumentException">The adapter acts on the answer alone.</exception>
    /// <exception cref="KeyNotFoundException">
    /// The model lacks an adapted layer, or its weights are rounded; nothing is merged.
    /// </exception>
    public static void MergeInto(CausalLm model, AdapterBank bank, int index = 0)
    {
        if (model.Quantization is not null)
        {
            throw new KeyNotFoundException(
                "The model's weights are rounded, and nothing is merged into them; open it in bf16 or float32."
            );
        }

        var merged = Merge(model.Weights, bank, index);
        if (SeparatesHead(model.Config, [bank]))
        {
            model.SeparateHead();
        }

        model.Weights.Replace(merged);
    }

    /// <summary>Whether a head that was the embedding is no longer it once the adapters are merged.</summary>
    static bool SeparatesHead(DecoderConfig model, IReadOnlyList<AdapterBank> adapters) =>
        model.TiedHead && adapters.Any(bank => !bank.KeepsHeadTied);

    /// <summary>
    /// Merged copies of the changed weights alone, by weight name; the caller's. The head of a model where it is the
    /// embedding is there if the adapter changes it apart.
    /// </summary>
    internal static IReadOnlyDictionary<string, Tensor> Merge(ModelWeights weights, AdapterBank bank, int index)
    {
        bank.ThrowIfOutOfRange(index);
        RefuseAnswerOnly(bank.GetConfig(index), nameof(bank));
        using var noGrad = no_grad();
        using var scope = NewDisposeScope(); // owns what was merged should a later layer fail
        var merged = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var layer in ListChangedLayers(bank))
        {
            var name = layer + WeightSuffix;
            var isTiedHead = layer == WeightLayout.HeadLayer && weights.Find(name) is null;
            if (!(isTiedHead && bank.KeepsHeadTied))
            {
                merged[name] = Merge(weights[isTiedHead ? WeightLayout.Embedding : name], bank, layer, index);
            }
        }

        foreach (var weight in merged.Values)
        {
            weight.DetachFromDisposeScope();
        }

        return merged;
    }

    static IEnumerable<string> ListChangedLayers(AdapterBank bank) =>
        bank.LayerNames.Union(bank.Saved?.LayerNames ?? []);

    /// <summary>Merged weights act on every position.</summary>
    static void RefuseAnswerOnly(LoraConfig config, string parameter)
    {
        if (config.Active == ActivePositions.Answer)
        {
            throw new ArgumentException(
                "An adapter acts on the answer alone and so cannot be merged: merged weights act on the prompt too. "
                    + "Load it beside the model.",
                parameter
            );
        }
    }

    static Tensor Merge(Tensor weight, AdapterBank bank, string layer, int index)
    {
        using var scope = NewDisposeScope();
        return AddTo(weight.to(ScalarType.Float32, copy: true), bank, layer, index)
            .to(weight.dtype)
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A weight <c>[out, in]</c> float32 with an adapter merged, in place, or the adapter's own in place of it.
    /// </summary>
    internal static Tensor AddTo(Tensor weight, AdapterBank bank, string layer, int index)
    {
        if (bank.Saved?.Find(layer) is { } saved)
        {
            using var own = saved.select(0, index);
            weight.copy_(own);
        }

        if (bank.IndexOfLayer(layer) >= 0)
        {
            using var delta = ComputeDelta(bank, layer, index);
            weight.add_(delta, Scalars.One);
        }

        return weight;
    }

    /// <summary>
    /// <c>scaling * B A</c> of one layer, <c>[out, in]</c> float32, of the embedding <c>[vocab, hidden]</c>; the
    /// caller's.
    /// </summary>
    static Tensor ComputeDelta(AdapterBank bank, string layer, int index)
    {
        using var scope = NewDisposeScope();
        var pair = bank.Pairs[layer];
        var product = pair.B[index].matmul(pair.A[index]);
        product = layer == WeightLayout.EmbeddingLayer ? product.t() : product;
        return product.mul(Scalars.Of(bank.GetScaling(layer))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Writes <c>W + sum_i scaling_i * B_i A_i</c>, rounded to W's dtype or to another, for every adapted weight, and
    /// whatever the adapters do not change as it is: names, other parts' weights, tokenizer, license. One tensor at a
    /// time is in memory. The folder is there complete or not at all. Where the model's head is its embedding and an
    /// adapter changes one of the two alone, the head is written as a weight of its own, which config.json then says.
    /// </summary>
    /// <param name="baseFolder">The base model's folder; only read.</param>
    /// <param name="adapters">Banks of one, lowest first; still the caller's.</param>
    /// <param name="output">Folder to write; it must not exist yet, or be empty.</param>
    /// <param name="maxShardBytes">
    /// Largest weights file; a larger checkpoint is written as shards with an index.
    /// </param>
    /// <param name="dtype">Number type of all weights that are written; null keeps each one's own.</param>
    /// <returns>How many weights the adapters change, and how many of these changes rounding undoes.</returns>
    /// <exception cref="ModelFileException">The base cannot be used, or a merged weight is not finite.</exception>
    /// <exception cref="ArgumentException">
    /// The output folder is not empty, or an adapter acts on the answer alone or has weights that are not finite.
    /// </exception>
    public static MergeReport WriteModelFolder(
        string baseFolder,
        IReadOnlyList<AdapterBank> adapters,
        string output,
        long maxShardBytes = DefaultShardBytes,
        ScalarType? dtype = null
    )
    {
        ArgumentNullException.ThrowIfNull(adapters);
        foreach (var adapter in adapters)
        {
            RefuseAnswerOnly(adapter.Config, nameof(adapters));
        }

        if (adapters.Select(bank => bank.FindNonFinite()).FirstOrDefault(layer => layer is not null) is { } layer)
        {
            throw new ArgumentException(
                $"An adapter has weights of {layer} that are NaN or infinite: its training diverged.",
                nameof(adapters)
            );
        }

        ModelFolder.RequireEmpty(output);

        if (PackedCheckpoint.Find(baseFolder) is { } rounded)
        {
            throw new ModelFileException(
                baseFolder,
                $"is rounded to {PackedCheckpoint.GetName(rounded)}, and nothing is merged into such weights; name the "
                    + "model that it was made of."
            );
        }

        var config = DecoderConfig.Read(baseFolder);
        var separatesHead = SeparatesHead(config, adapters);
        CheckpointReader.ReadEntries(baseFolder, config);
        var files = new List<IWeightFile>();
        try
        {
            foreach (var path in CheckpointReader.FindShards(baseFolder))
            {
                files.Add(CheckpointReader.OpenFile(path));
            }

            var merger = new TensorMerger(adapters, dtype);
            var tensors = new List<TensorSource>();
            foreach (var file in files)
            {
                tensors.AddRange(file.Entries.SelectMany(entry => merger.CreateSources(file, entry, separatesHead)));
            }

            AtomicFile.WriteFolder(
                output,
                folder =>
                {
                    WriteFiles(folder, baseFolder, tensors, maxShardBytes);
                    RewriteConfig(Path.Combine(folder, ConfigFileName), dtype, separatesHead);
                }
            );
            return merger.Report;
        }
        finally
        {
            files.ForEach(file => file.Dispose());
        }
    }

    static void WriteFiles(string folder, string baseFolder, List<TensorSource> tensors, long maxShardBytes)
    {
        ShardedCheckpoint.Write(folder, tensors, maxShardBytes);
        ModelFolder.CopyCompanions(baseFolder, folder);
    }

    /// <summary>
    /// Says in the configuration in which number type the weights are, and that the head is a weight of its own.
    /// </summary>
    static void RewriteConfig(string path, ScalarType? dtype, bool separatesHead)
    {
        if (dtype is null && !separatesHead)
        {
            return;
        }

        var config = ConfigJson.Read(path).ToNode();
        if (dtype is { } type)
        {
            SetDtype(config, type == ScalarType.Float32 ? "float32" : "bfloat16");
        }

        if (separatesHead)
        {
            config[TyingKey] = false;
            if (config[TextConfigKey] is JsonObject decoder)
            {
                decoder[TyingKey] = false;
            }
        }

        AtomicFile.WriteText(path, config.ToJsonString(ConfigLayout) + "\n");
    }

    static void SetDtype(JsonObject config, string name)
    {
        foreach (var section in config.Select(pair => pair.Value).OfType<JsonObject>().Prepend(config).ToList())
        {
            foreach (var key in DtypeKeys.Where(section.ContainsKey))
            {
                section[key] = name;
            }
        }

        if (!DtypeKeys.Any(config.ContainsKey))
        {
            config[DtypeKeys[0]] = name;
        }
    }
}
