using CoPe.Kernels.Torch;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Adapters;

/// <summary>Merging an adapter into base weights.</summary>
public static class AdapterMerge
{
    /// <summary>
    /// Merged copies of the adapted weights alone, <code>W + scaling * B A</code>, rounded to the dtype of W, by weight
    /// name (<c>model.layers.0.self_attn.q_proj.weight</c>).
    /// The caller owns them.
    /// </summary>
    public static IReadOnlyDictionary<string, Tensor> Merge(ModelWeights weights, AdapterBank bank, int index = 0)
    {
        bank.ThrowIfOutOfRange(index);
        using var noGrad = no_grad();
        return bank.LayerNames.ToDictionary(
            name => $"{name}.weight",
            name =>
            {
                using var scope = NewDisposeScope();
                var weight = weights[$"{name}.weight"];
                return weight
                    .to(ScalarType.Float32)
                    .add(ComputeDelta(bank, name, index), Scalars.One)
                    .to(weight.dtype)
                    .DetachFromDisposeScope();
            },
            StringComparer.Ordinal
        );
    }

    /// <summary><c>scaling * B A</c> of one layer, <c>[out, in]</c> float32, the caller's.</summary>
    internal static Tensor ComputeDelta(AdapterBank bank, string layer, int index)
    {
        using var scope = NewDisposeScope();
        return bank.Pairs[layer]
            .B[index]
            .matmul(bank.Pairs[layer].A[index])
            .mul(Scalars.Of(bank.Config.Scaling))
            .MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Replaces the adapted weights by merged copies, which the weights then own; the others stay mapped.
    /// </summary>
    public static void MergeInto(ModelWeights weights, AdapterBank bank, int index = 0) =>
        weights.Replace(Merge(weights, bank, index));
}

/// <summary>
/// Writes base and adapters as one model folder that Hugging Face tools load. Everything the adapters do not change is
/// carried over: names, other parts' weights, tokenizer, licence.
/// </summary>
public static class MergedModelFolder
{
    /// <summary>Bytes after which another weights file is begun, unless said otherwise.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    /// <summary>
    /// Files beside the weights that a model folder is made of, by extension or by the beginning of the name.
    /// </summary>
    static readonly string[] CopiedExtensions = [".json", ".jinja", ".model", ".tiktoken"];

    static readonly string[] CopiedNames =
    [
        "license",
        "licence",
        "copying",
        "notice",
        "use_policy",
        "merges.txt",
        "vocab.txt",
    ];

    static readonly string[] ExcludedEndings = [".index.json", "adapter_config.json", "trainer_state.json"];

    /// <summary>
    /// Writes <c>W + sum_i scaling_i * B_i A_i</c>, rounded to W's dtype, for every adapted weight and all other
    /// tensors as they are; one tensor at a time is in memory. The folder is there whole or not at all.
    /// </summary>
    /// <param name="baseFolder">The base model's folder; only read.</param>
    /// <param name="adapters">Banks of one, lowest first; the caller's.</param>
    /// <param name="output">Folder to write; it must not exist yet, or be empty.</param>
    /// <param name="maxShardBytes">
    /// Largest weights file; a larger checkpoint is written as shards with an index.
    /// </param>
    /// <exception cref="ModelFileException">The base cannot be used.</exception>
    /// <exception cref="ArgumentException">The output folder holds something already.</exception>
    public static void Write(
        string baseFolder,
        IReadOnlyList<AdapterBank> adapters,
        string output,
        long maxShardBytes = DefaultShardBytes
    )
    {
        if (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())
        {
            throw new ArgumentException(
                $"Folder {output} holds files already: name another one, or remove it first.",
                nameof(output)
            );
        }

        CheckpointReader.ReadEntries(baseFolder, DecoderConfig.Read(baseFolder));
        var files = new List<SafetensorsFile>();
        try
        {
            foreach (var path in CheckpointReader.FindShards(baseFolder))
            {
                files.Add(SafetensorsFile.Open(path));
            }

            var tensors = files
                .SelectMany(file => file.Entries.Select(entry => CreateSource(file, entry, adapters)))
                .ToList();
            AtomicFile.WriteFolder(
                output,
                folder =>
                {
                    ShardedCheckpoint.Write(folder, tensors, maxShardBytes);
                    foreach (var file in Directory.EnumerateFiles(baseFolder).Where(IsCopied))
                    {
                        File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
                    }
                }
            );
        }
        finally
        {
            foreach (var file in files)
            {
                file.Dispose();
            }
        }
    }

    static TensorSource CreateSource(SafetensorsFile file, TensorEntry entry, IReadOnlyList<AdapterBank> adapters)
    {
        const string Suffix = ".weight";
        var name = WeightLayout.ToCanonicalName(entry.Name) ?? "";
        var layer = name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : "";
        var worn = adapters.Where(bank => bank.IndexOfLayer(layer) >= 0).ToList();
        return new(
            entry.Name,
            entry.Dtype,
            entry.Shape,
            worn.Count == 0 ? () => file.Read(entry.Name) : () => MergeTensor(file, entry.Name, layer, worn)
        );
    }

    static Tensor MergeTensor(SafetensorsFile file, string name, string layer, List<AdapterBank> adapters)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var weight = file.Read(name);
        var merged = weight.to(ScalarType.Float32, copy: true);
        foreach (var bank in adapters)
        {
            merged.add_(AdapterMerge.ComputeDelta(bank, layer, 0), Scalars.One);
        }

        return merged.to(weight.dtype).DetachFromDisposeScope();
    }

    static bool IsCopied(string path)
    {
        var name = Path.GetFileName(path).ToLowerInvariant();
        return !ExcludedEndings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal))
            && (
                CopiedExtensions.Contains(Path.GetExtension(name))
                || CopiedNames.Any(begin => name.StartsWith(begin, StringComparison.Ordinal))
            );
    }
}
