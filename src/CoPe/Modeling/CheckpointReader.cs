using System.Text.Json;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Finds a model folder's tensors, checks that they are exactly those the configuration describes, and maps them.
/// </summary>
static class CheckpointReader
{
    const string SingleFileName = ShardedCheckpoint.SingleFileName;
    const string IndexFileName = ShardedCheckpoint.IndexFileName;

    /// <summary>
    /// The wanted tensors (null: all) by our names, owned by the caller; what is not wanted is checked, but not mapped.
    /// </summary>
    public static Dictionary<string, Tensor> Read(
        string folder,
        DecoderConfig config,
        ScalarType? dtype,
        Func<string, bool>? wanted = null
    )
    {
        var files = new List<SafetensorsFile>();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            var sources = MatchTensors(OpenShards(folder, files), config, folder);
            CheckShapes(sources, config, folder);
            foreach (
                var name in WeightLayout.ListWeights(config).Select(weight => weight.Name).Where(wanted ?? (_ => true))
            )
            {
                tensors[name] = Convert(sources[name].File.Read(sources[name].Entry.Name), dtype ?? config.Dtype);
            }

            return tensors;
        }
        catch
        {
            foreach (var tensor in tensors.Values)
            {
                tensor.Dispose();
            }

            throw;
        }
        finally
        {
            foreach (var file in files)
            {
                file.Dispose();
            }
        }
    }

    /// <summary>The entries of the decoder's tensors, checked as for loading; nothing stays mapped.</summary>
    public static IReadOnlyList<TensorEntry> ReadEntries(string folder, DecoderConfig config)
    {
        var files = new List<SafetensorsFile>();
        try
        {
            var sources = MatchTensors(OpenShards(folder, files), config, folder);
            CheckShapes(sources, config, folder);
            return [.. sources.Values.Select(s => s.Entry)];
        }
        finally
        {
            foreach (var file in files)
            {
                file.Dispose();
            }
        }
    }

    /// <summary>
    /// Element type of a checkpoint whose configuration names none: that of its first floating tensor, as Hugging
    /// Face's tools choose; null where no weights are there.
    /// </summary>
    public static ScalarType? ReadDtype(string folder)
    {
        var (single, index) = (Path.Combine(folder, SingleFileName), Path.Combine(folder, IndexFileName));
        var file =
            File.Exists(single) ? single
            : File.Exists(index)
                ? CheckpointIndex
                    .ReadShardNames(index)
                    .Select(name => Path.Combine(folder, name))
                    .FirstOrDefault(File.Exists)
            : null;
        if (file is null)
        {
            return null;
        }

        using var weights = SafetensorsFile.Open(file);
        return weights
            .Entries.Where(entry => SafetensorsDtype.IsFloating(entry.Dtype))
            .Select(entry => (ScalarType?)entry.Dtype)
            .FirstOrDefault();
    }

    /// <summary>Opens the weights files into a list that the caller disposes, whatever is found.</summary>
    static List<SafetensorsFile> OpenShards(string folder, List<SafetensorsFile> files)
    {
        foreach (var path in FindShards(folder))
        {
            files.Add(SafetensorsFile.Open(path));
        }
        // A tensor in two shards is told as that, before the index is found to name one of them.
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (file.Entries.FirstOrDefault(entry => !names.Add(entry.Name)) is { } twice)
            {
                throw new ModelFileException(file.Path, twice.Name, "this tensor occurs twice in the checkpoint.");
            }
        }

        if (files[0].Path != Path.Combine(folder, SingleFileName))
        {
            CheckpointIndex.CheckShards(Path.Combine(folder, IndexFileName), files);
        }

        return files;
    }

    /// <summary>
    /// The weights files: the single one where there is one, as Hugging Face's tools choose, else those that the index
    /// names.
    /// </summary>
    public static IReadOnlyList<string> FindShards(string folder)
    {
        var (single, index) = (Path.Combine(folder, SingleFileName), Path.Combine(folder, IndexFileName));
        if (File.Exists(single))
        {
            return [single];
        }

        if (!File.Exists(index))
        {
            throw new ModelFileException(
                folder,
                $"has neither {SingleFileName} nor {IndexFileName}. Only safetensors weights are read."
            );
        }

        var names = CheckpointIndex.ReadShardNames(index);
        foreach (var name in names)
        {
            if (!File.Exists(Path.Combine(folder, name)))
            {
                throw new ModelFileException(
                    Path.Combine(folder, name),
                    $"is missing; {IndexFileName} names it as a shard. Download it again."
                );
            }
        }

        return [.. names.Select(name => Path.Combine(folder, name))];
    }

    static Dictionary<string, (SafetensorsFile File, TensorEntry Entry)> MatchTensors(
        List<SafetensorsFile> files,
        DecoderConfig config,
        string folder
    )
    {
        var wanted = WeightLayout.ListWeights(config).Select(w => w.Name).ToHashSet(StringComparer.Ordinal);
        var sources = new Dictionary<string, (SafetensorsFile, TensorEntry)>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            foreach (var entry in file.Entries)
            {
                if (
                    WeightLayout.ToCanonicalName(entry.Name) is not { } name
                    || (name == WeightLayout.Head && config.TiedHead)
                )
                {
                    continue;
                }

                if (!wanted.Contains(name))
                {
                    throw new ModelFileException(
                        file.Path,
                        entry.Name,
                        $"config.json ({config.ModelType}, {config.LayerCount} layers) describes no such weight."
                    );
                }

                if (!sources.TryAdd(name, (file, entry)))
                {
                    throw new ModelFileException(
                        file.Path,
                        entry.Name,
                        "this tensor occurs twice in the checkpoint, under different prefixes."
                    );
                }
            }
        }

        if (wanted.FirstOrDefault(name => !sources.ContainsKey(name)) is { } missing)
        {
            throw new ModelFileException(folder, missing, "no weights file has this tensor.");
        }

        return sources;
    }

    static void CheckShapes(
        Dictionary<string, (SafetensorsFile File, TensorEntry Entry)> sources,
        DecoderConfig config,
        string folder
    )
    {
        foreach (var (name, shape) in WeightLayout.ListWeights(config))
        {
            var (file, entry) = sources[name];
            if (!entry.Shape.SequenceEqual(shape))
            {
                throw new ModelFileException(
                    file.Path,
                    entry.Name,
                    $"has shape [{string.Join(", ", entry.Shape)}]; {Path.Combine(folder, "config.json")} implies [{string.Join(", ", shape)}]."
                );
            }

            if (entry.Dtype is not (ScalarType.BFloat16 or ScalarType.Float16 or ScalarType.Float32))
            {
                throw new ModelFileException(
                    file.Path,
                    entry.Name,
                    $"has dtype {entry.Dtype}; expected BF16, F16 or F32."
                );
            }
        }
    }

    static Tensor Convert(Tensor tensor, ScalarType dtype)
    {
        if (tensor.dtype == dtype)
        {
            return tensor;
        }

        using (tensor)
        {
            return tensor.to(dtype).DetachFromDisposeScope();
        }
    }
}

/// <summary>The index of a checkpoint in shards: <c>model.safetensors.index.json</c>.</summary>
public static class CheckpointIndex
{
    /// <summary>
    /// The files that an index names, in order. Throws <see cref="ModelFileException"/> for an index that is malformed
    /// or names a file elsewhere.
    /// </summary>
    public static IReadOnlyList<string> ReadShardNames(string index)
    {
        var names = ReadWeightMap(index).Select(entry => entry.File).Distinct().Order(StringComparer.Ordinal).ToList();
        if (names.Count == 0)
        {
            throw new ModelFileException(index, "weight_map", "names no tensor.");
        }

        foreach (var name in names)
        {
            if (name != Path.GetFileName(name) || name is "." or "..")
            {
                throw new ModelFileException(index, name, "a shard must lie beside the index.");
            }
        }

        return names;
    }

    /// <summary>
    /// Throws where the index and its shards disagree on which tensor lies where: one of them is of another checkpoint.
    /// </summary>
    internal static void CheckShards(string index, IReadOnlyList<SafetensorsFile> shards)
    {
        var byName = shards.ToDictionary(shard => Path.GetFileName(shard.Path), StringComparer.Ordinal);
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (tensor, file) in ReadWeightMap(index))
        {
            if (!named.Add(tensor))
            {
                throw new ModelFileException(index, tensor, "the index names this tensor twice.");
            }

            if (!byName[file].Contains(tensor))
            {
                throw new ModelFileException(
                    byName[file].Path,
                    tensor,
                    $"this shard has no such tensor, though {Path.GetFileName(index)} says so. Download both again."
                );
            }
        }
        foreach (var shard in shards)
        {
            if (shard.Entries.FirstOrDefault(entry => !named.Contains(entry.Name)) is { } unnamed)
            {
                throw new ModelFileException(
                    shard.Path,
                    unnamed.Name,
                    $"{Path.GetFileName(index)} does not name this tensor. Download both again."
                );
            }
        }
    }

    static IEnumerable<(string Tensor, string File)> ReadWeightMap(string index)
    {
        var map =
            ConfigJson.Read(index).GetObject("weight_map")
            ?? throw new ModelFileException(index, "weight_map", "is missing.");
        return map.Properties.Select(p =>
            p.Value.ValueKind == JsonValueKind.String
            && p.Value.GetString() is { Length: > 0 } file
            && !file.Contains('\0', StringComparison.Ordinal)
                ? (p.Name, file)
                : throw new ModelFileException(index, p.Name, "names no file.")
        );
    }
}
