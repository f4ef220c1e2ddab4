using System.Text.Json;
using CoPe.Gguf;
using CoPe.Modeling.Gguf;
using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>
/// Finds a model folder's tensors, checks that they are exactly those the configuration describes, and maps them.
/// </summary>
static class CheckpointReader
{
    /// <summary>
    /// The selected tensors (null: all) by their canonical names, owned by the caller; the others are checked, but not
    /// mapped.
    /// </summary>
    /// <exception cref="ModelFileException">The weights are not those that the configuration describes.</exception>
    public static Dictionary<string, Tensor> Read(
        string folder,
        DecoderConfig config,
        ScalarType? dtype,
        Func<string, bool>? isSelected = null
    )
    {
        using var checkpoint = new OpenCheckpoint(folder);
        var locations = checkpoint.MatchTensors(config);
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            foreach (var (name, _) in WeightLayout.ListWeights(config))
            {
                if (isSelected is null || isSelected(name))
                {
                    var location = locations.TryGetValue(name, out var found) ? found : throw Rounded(folder, name);
                    tensors[name] = location.Read(dtype ?? config.Dtype);
                }
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
    }

    static ModelFileException Rounded(string folder, string name)
    {
        var dtype = PackedCheckpoint.GetName(PackedCheckpoint.Find(folder)!.Value);
        return new(
            folder,
            name,
            $"is rounded to {dtype}, which has no way back; load it as {dtype} (decode_dtype, model_dtype: {dtype} or "
                + "auto), or the model that it was made of."
        );
    }

    /// <summary>The entries of the decoder's tensors, checked as for loading; nothing stays mapped.</summary>
    /// <exception cref="ModelFileException">The weights are not those that the configuration describes.</exception>
    public static IReadOnlyList<TensorEntry> ReadEntries(string folder, DecoderConfig config)
    {
        using var checkpoint = new OpenCheckpoint(folder);
        return [.. checkpoint.MatchTensors(config).Values.Select(location => location.Entry)];
    }

    /// <summary>
    /// Element type of a checkpoint whose configuration names none: that of its first floating tensor, as Hugging
    /// Face's tools choose; null where no weights are there.
    /// </summary>
    public static ScalarType? ReadDtype(string folder)
    {
        var file = FindFirstFile(folder);
        if (file is null)
        {
            return null;
        }

        using var weights = SafetensorsFile.Open(file);
        var first = weights.Entries.FirstOrDefault(entry => entry.Dtype.IsFloating);
        return first?.Dtype.ScalarType;
    }

    /// <summary>Whether a folder has weights at all.</summary>
    public static bool HasWeights(string folder) => FindFirstFile(folder) is not null;

    static string? FindFirstFile(string folder)
    {
        if (GgufFile.IsNamed(folder))
        {
            return File.Exists(folder) ? folder : null;
        }

        var single = Path.Combine(folder, ShardedCheckpoint.SingleFileName);
        if (File.Exists(single))
        {
            return single;
        }

        var index = Path.Combine(folder, ShardedCheckpoint.IndexFileName);
        if (!File.Exists(index))
        {
            return null;
        }

        var shards = CheckpointIndex.ReadShardNames(index).Select(name => Path.Combine(folder, name));
        return shards.FirstOrDefault(File.Exists);
    }

    /// <summary>
    /// The weights files: the single one where there is one, as Hugging Face's tools choose, else those that the index
    /// names.
    /// </summary>
    /// <exception cref="ModelFileException">There are no weights, or a shard is missing.</exception>
    public static IReadOnlyList<string> FindShards(string folder)
    {
        if (GgufFile.IsNamed(folder))
        {
            return [folder];
        }

        var single = Path.Combine(folder, ShardedCheckpoint.SingleFileName);
        if (File.Exists(single))
        {
            return [single];
        }

        var index = Path.Combine(folder, ShardedCheckpoint.IndexFileName);
        if (!File.Exists(index))
        {
            throw new ModelFileException(
                folder,
                $"has neither {ShardedCheckpoint.SingleFileName} nor {ShardedCheckpoint.IndexFileName}. "
                    + "Only safetensors weights are read."
            );
        }

        List<string> shards = [.. CheckpointIndex.ReadShardNames(index).Select(name => Path.Combine(folder, name))];
        var missing = shards.Find(shard => !File.Exists(shard));
        if (missing is not null)
        {
            throw new ModelFileException(
                missing,
                $"is missing; {ShardedCheckpoint.IndexFileName} names it as a shard. Download it again."
            );
        }

        return shards;
    }

    /// <summary>Opens a weights file of either format.</summary>
    public static IWeightFile OpenFile(string path) =>
        GgufFile.IsNamed(path) ? GgufWeights.Open(path) : SafetensorsFile.Open(path);
}

/// <summary>The weights files of a model folder while they are open.</summary>
sealed class OpenCheckpoint : IDisposable
{
    readonly string _folder;
    readonly List<IWeightFile> _files = [];

    /// <summary>Opens the files and checks that they belong together.</summary>
    /// <exception cref="ModelFileException">They do not, or one cannot be read.</exception>
    public OpenCheckpoint(string folder)
    {
        _folder = folder;
        try
        {
            foreach (var path in CheckpointReader.FindShards(folder))
            {
                _files.Add(CheckpointReader.OpenFile(path));
            }

            CheckFiles();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    void CheckFiles()
    {
        // A tensor in two shards is reported as that, before the index is found to name one of them.
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in _files)
        {
            foreach (var entry in file.Entries)
            {
                if (!names.Add(entry.Name))
                {
                    throw new ModelFileException(file.Path, entry.Name, "this tensor occurs twice in the checkpoint.");
                }
            }
        }

        if (_files[0].Path != Path.Combine(_folder, ShardedCheckpoint.SingleFileName) && !GgufFile.IsNamed(_folder))
        {
            List<SafetensorsFile> shards = [.. _files.OfType<SafetensorsFile>()];
            CheckpointIndex.CheckShards(Path.Combine(_folder, ShardedCheckpoint.IndexFileName), shards);
        }
    }

    /// <summary>Where each weight of the configuration lies, by canonical name.</summary>
    /// <exception cref="ModelFileException">A weight is missing, unknown, or of another shape or dtype.</exception>
    public Dictionary<string, TensorLocation> MatchTensors(DecoderConfig config)
    {
        var shapes = ListExpected(config).ToDictionary(w => w.Name, w => w.Shape, StringComparer.Ordinal);
        var locations = new Dictionary<string, TensorLocation>(StringComparer.Ordinal);
        foreach (var file in _files)
        {
            foreach (var entry in file.Entries)
            {
                var name = WeightLayout.ToCanonicalName(entry.Name);
                if (name is null || (name == WeightLayout.Head && config.TiedHead))
                {
                    continue;
                }

                if (!shapes.ContainsKey(name))
                {
                    throw new ModelFileException(
                        file.Path,
                        entry.Name,
                        $"{ConfigName} ({config.ModelType}, {config.LayerCount} layers) describes no such weight."
                    );
                }

                if (!locations.TryAdd(name, new TensorLocation(file, entry)))
                {
                    throw new ModelFileException(
                        file.Path,
                        entry.Name,
                        "this tensor occurs twice in the checkpoint, under different prefixes."
                    );
                }
            }
        }

        foreach (var (name, _) in shapes)
        {
            if (!locations.ContainsKey(name))
            {
                throw new ModelFileException(_folder, name, "no weights file has this tensor.");
            }
        }

        foreach (var (name, shape) in shapes)
        {
            CheckShape(locations[name], shape);
        }

        return locations;
    }

    /// <summary>The configuration's weights; of a folder that was written rounded those that are not.</summary>
    IEnumerable<(string Name, long[] Shape)> ListExpected(DecoderConfig config)
    {
        if (PackedCheckpoint.Find(_folder) is null)
        {
            return WeightLayout.ListWeights(config);
        }

        var rounded = WeightLayout.ListLinearLayers(config).Select(layer => $"{layer.Name}.weight").ToHashSet();
        return WeightLayout.ListWeights(config).Where(w => !rounded.Contains(w.Name) && w.Name != WeightLayout.Head);
    }

    void CheckShape(TensorLocation location, long[] shape)
    {
        var (file, entry) = location;
        if (!entry.Shape.SequenceEqual(shape))
        {
            throw new ModelFileException(
                file.Path,
                entry.Name,
                $"has shape [{string.Join(", ", entry.Shape)}]; {DescribeConfig()} implies "
                    + $"[{string.Join(", ", shape)}]."
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

    /// <summary>Where the configuration stands.</summary>
    string ConfigName => GgufFile.IsNamed(_folder) ? "the metadata" : "config.json";

    string DescribeConfig() => GgufFile.IsNamed(_folder) ? ConfigName : Path.Combine(_folder, ConfigName);

    public void Dispose() => _files.ForEach(file => file.Dispose());
}

/// <summary>Where a tensor lies.</summary>
readonly record struct TensorLocation(IWeightFile File, TensorEntry Entry)
{
    /// <summary>The tensor as a type, owned by the caller; mapped where the file has it so.</summary>
    public Tensor Read(ScalarType dtype) => File.Read(Entry.Name, dtype);
}

/// <summary>The index of a checkpoint in shards: <c>model.safetensors.index.json</c>.</summary>
static class CheckpointIndex
{
    /// <summary>The files that an index names, in order.</summary>
    /// <exception cref="ModelFileException">The index is malformed or names a file elsewhere.</exception>
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

    /// <summary>Checks that the index and its shards agree on which tensor lies where.</summary>
    /// <exception cref="ModelFileException">They do not: one of them is of another checkpoint.</exception>
    public static void CheckShards(string index, IReadOnlyList<SafetensorsFile> shards)
    {
        var indexName = Path.GetFileName(index);
        var shardByName = shards.ToDictionary(shard => Path.GetFileName(shard.Path), StringComparer.Ordinal);
        var indexed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (tensor, file) in ReadWeightMap(index))
        {
            indexed.Add(tensor);
            var shard = shardByName[file];
            if (!shard.Contains(tensor))
            {
                throw new ModelFileException(
                    shard.Path,
                    tensor,
                    $"this shard has no such tensor, though {indexName} says so. Download both again."
                );
            }
        }

        foreach (var shard in shards)
        {
            foreach (var entry in shard.Entries.Where(entry => !indexed.Contains(entry.Name)))
            {
                throw new ModelFileException(
                    shard.Path,
                    entry.Name,
                    $"{indexName} does not name this tensor. Download both again."
                );
            }
        }
    }

    static IEnumerable<(string Tensor, string File)> ReadWeightMap(string index)
    {
        var map =
            ConfigJson.Read(index).GetObject("weight_map")
            ?? throw new ModelFileException(index, "weight_map", "is missing.");
        foreach (var property in map.Properties)
        {
            var file = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;
            if (string.IsNullOrEmpty(file) || file.Contains('\0', StringComparison.Ordinal))
            {
                throw new ModelFileException(index, property.Name, "names no file.");
            }

            yield return (property.Name, file);
        }
    }
}
