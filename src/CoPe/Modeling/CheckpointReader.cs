using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>Finds a model folder's tensors, checks that they are exactly those the configuration describes, and maps them.</summary>
static class CheckpointReader
{
    const string Single = ShardedCheckpoint.Single;
    const string Index = ShardedCheckpoint.Index;

    /// <summary>The wanted tensors (null: all) by our names, owned by the caller; what is not wanted is checked, but not mapped.</summary>
    public static Dictionary<string, Tensor> Read(string folder, DecoderConfig config, ScalarType? dtype, Func<string, bool>? wanted = null)
    {
        var files = new List<SafetensorsFile>();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        try
        {
            var sources = Sources(Open(folder, files), config, folder);
            CheckShapes(sources, config, folder);
            foreach (var name in WeightLayout.Weights(config).Select(weight => weight.Name).Where(wanted ?? (_ => true))) tensors[name] = Convert(sources[name].File.Read(sources[name].Entry.Name), dtype ?? config.Dtype);
            return tensors;
        }
        catch
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
            throw;
        }
        finally
        {
            foreach (var file in files) file.Dispose();
        }
    }

    /// <summary>The entries of the decoder's tensors, checked as for loading; nothing stays mapped.</summary>
    public static IReadOnlyList<TensorEntry> Entries(string folder, DecoderConfig config)
    {
        var files = new List<SafetensorsFile>();
        try
        {
            var sources = Sources(Open(folder, files), config, folder);
            CheckShapes(sources, config, folder);
            return [.. sources.Values.Select(s => s.Entry)];
        }
        finally
        {
            foreach (var file in files) file.Dispose();
        }
    }

    /// <summary>Element type of a checkpoint whose configuration names none: that of its first floating tensor, as Hugging Face's tools choose; null where no weights are there.</summary>
    public static ScalarType? DtypeOf(string folder)
    {
        var (single, index) = (Path.Combine(folder, Single), Path.Combine(folder, Index));
        var file = File.Exists(single) ? single : File.Exists(index) ? CheckpointIndex.Files(index).Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) : null;
        if (file is null) return null;
        using var weights = SafetensorsFile.Open(file);
        return weights.Entries.Where(entry => SafetensorsDtype.IsFloating(entry.Dtype)).Select(entry => (ScalarType?)entry.Dtype).FirstOrDefault();
    }

    /// <summary>Opens the weights files into a list that the caller disposes, whatever is found.</summary>
    static List<SafetensorsFile> Open(string folder, List<SafetensorsFile> files)
    {
        foreach (var path in Shards(folder)) files.Add(SafetensorsFile.Open(path));
        // A tensor in two shards is told as that, before the index is found to name one of them.
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
            if (file.Entries.FirstOrDefault(entry => !names.Add(entry.Name)) is { } twice) throw new ModelFileException(file.Path, twice.Name, "this tensor occurs twice in the checkpoint.");
        if (files[0].Path != Path.Combine(folder, Single)) CheckpointIndex.Check(Path.Combine(folder, Index), files);
        return files;
    }

    /// <summary>The weights files: the single one where there is one, as Hugging Face's tools choose, else those that the index names.</summary>
    public static IReadOnlyList<string> Shards(string folder)
    {
        var (single, index) = (Path.Combine(folder, Single), Path.Combine(folder, Index));
        if (File.Exists(single)) return [single];
        if (!File.Exists(index)) throw new ModelFileException(folder, $"has neither {Single} nor {Index}. Only safetensors weights are read.");
        var names = CheckpointIndex.Files(index);
        foreach (var name in names)
            if (!File.Exists(Path.Combine(folder, name))) throw new ModelFileException(Path.Combine(folder, name), $"is missing; {Index} names it as a shard. Download it again.");
        return [.. names.Select(name => Path.Combine(folder, name))];
    }

    static Dictionary<string, (SafetensorsFile File, TensorEntry Entry)> Sources(List<SafetensorsFile> files, DecoderConfig config, string folder)
    {
        var wanted = WeightLayout.Weights(config).Select(w => w.Name).ToHashSet(StringComparer.Ordinal);
        var sources = new Dictionary<string, (SafetensorsFile, TensorEntry)>(StringComparer.Ordinal);
        foreach (var file in files)
            foreach (var entry in file.Entries)
            {
                if (WeightLayout.Canonical(entry.Name) is not { } name || (name == WeightLayout.Head && config.TiedHead)) continue;
                if (!wanted.Contains(name)) throw new ModelFileException(file.Path, entry.Name, $"config.json ({config.ModelType}, {config.LayerCount} layers) describes no such weight.");
                if (!sources.TryAdd(name, (file, entry))) throw new ModelFileException(file.Path, entry.Name, "this tensor occurs twice in the checkpoint, under different prefixes.");
            }
        if (wanted.FirstOrDefault(name => !sources.ContainsKey(name)) is { } missing) throw new ModelFileException(folder, missing, "no weights file has this tensor.");
        return sources;
    }

    static void CheckShapes(Dictionary<string, (SafetensorsFile File, TensorEntry Entry)> sources, DecoderConfig config, string folder)
    {
        foreach (var (name, shape) in WeightLayout.Weights(config))
        {
            var (file, entry) = sources[name];
            if (!entry.Shape.SequenceEqual(shape))
                throw new ModelFileException(file.Path, entry.Name, $"has shape [{string.Join(", ", entry.Shape)}]; {Path.Combine(folder, "config.json")} implies [{string.Join(", ", shape)}].");
            if (entry.Dtype is not (ScalarType.BFloat16 or ScalarType.Float16 or ScalarType.Float32))
                throw new ModelFileException(file.Path, entry.Name, $"has dtype {entry.Dtype}; expected BF16, F16 or F32.");
        }
    }

    static Tensor Convert(Tensor tensor, ScalarType dtype)
    {
        if (tensor.dtype == dtype) return tensor;
        using (tensor) return tensor.to(dtype).DetachFromDisposeScope();
    }
}
