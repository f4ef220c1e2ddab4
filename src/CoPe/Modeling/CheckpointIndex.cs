using System.Text.Json;

namespace CoPe.Modeling;

/// <summary>The index of a checkpoint in shards: <c>model.safetensors.index.json</c>.</summary>
public static class CheckpointIndex
{
    /// <summary>The files that an index names, in order. Throws <see cref="ModelFileException"/> for an index that is malformed or names a file elsewhere.</summary>
    public static IReadOnlyList<string> Files(string index)
    {
        var map = ConfigJson.Read(index).Object("weight_map") ?? throw new ModelFileException(index, "weight_map", "is missing.");
        var names = map.Properties.Select(p => p.Value.ValueKind == JsonValueKind.String ? p.Value.GetString()! : throw new ModelFileException(index, p.Name, "names no file.")).Distinct().Order(StringComparer.Ordinal).ToList();
        if (names.Count == 0) throw new ModelFileException(index, "weight_map", "names no tensor.");
        foreach (var name in names)
            if (name != Path.GetFileName(name) || name is "." or "..") throw new ModelFileException(index, name, "a shard must lie beside the index.");
        return names;
    }
}
