using System.Text.Json;
using CoPe.Modeling.Safetensors;

namespace CoPe.Modeling;

/// <summary>The index of a checkpoint in shards: <c>model.safetensors.index.json</c>.</summary>
public static class CheckpointIndex
{
    /// <summary>The files that an index names, in order. Throws <see cref="ModelFileException"/> for an index that is malformed or names a file elsewhere.</summary>
    public static IReadOnlyList<string> Files(string index)
    {
        var names = Map(index).Select(entry => entry.File).Distinct().Order(StringComparer.Ordinal).ToList();
        if (names.Count == 0) throw new ModelFileException(index, "weight_map", "names no tensor.");
        foreach (var name in names)
            if (name != Path.GetFileName(name) || name is "." or "..") throw new ModelFileException(index, name, "a shard must lie beside the index.");
        return names;
    }

    /// <summary>Throws where the index and its shards disagree on which tensor lies where: one of them is of another checkpoint.</summary>
    internal static void Check(string index, IReadOnlyList<SafetensorsFile> shards)
    {
        var byName = shards.ToDictionary(shard => Path.GetFileName(shard.Path), StringComparer.Ordinal);
        var named = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (tensor, file) in Map(index))
        {
            if (!named.Add(tensor)) throw new ModelFileException(index, tensor, "the index names this tensor twice.");
            if (!byName[file].Contains(tensor)) throw new ModelFileException(byName[file].Path, tensor, $"this shard has no such tensor, though {Path.GetFileName(index)} says so. Download both again.");
        }
        foreach (var shard in shards)
            if (shard.Entries.FirstOrDefault(entry => !named.Contains(entry.Name)) is { } unnamed)
                throw new ModelFileException(shard.Path, unnamed.Name, $"{Path.GetFileName(index)} does not name this tensor. Download both again.");
    }

    static IEnumerable<(string Tensor, string File)> Map(string index)
    {
        var map = ConfigJson.Read(index).Object("weight_map") ?? throw new ModelFileException(index, "weight_map", "is missing.");
        return map.Properties.Select(p => p.Value.ValueKind == JsonValueKind.String && p.Value.GetString() is { Length: > 0 } file && !file.Contains('\0', StringComparison.Ordinal) ? (p.Name, file) : throw new ModelFileException(index, p.Name, "names no file."));
    }
}
