using System.Text.Json.Nodes;

namespace CoPe.Modeling.Safetensors;

/// <summary>Writes a checkpoint as Hugging Face lays it out: <c>model.safetensors</c>, or shards named by <c>model.safetensors.index.json</c> where one file would be too large.</summary>
static class ShardedCheckpoint
{
    public const string Single = "model.safetensors";
    public const string Index = "model.safetensors.index.json";

    /// <summary>Writes the tensors in the order given; a tensor larger than a shard has one of its own. The index comes last, so that a folder with an index is whole.</summary>
    public static void Write(string folder, IReadOnlyList<TensorSource> tensors, long maxShardBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxShardBytes, 1);
        var shards = Shards(tensors, maxShardBytes);
        if (shards.Count == 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, Single), shards[0]);
            return;
        }
        var map = new JsonObject();
        for (var i = 0; i < shards.Count; i++)
        {
            var name = $"model-{i + 1:00000}-of-{shards.Count:00000}.safetensors";
            SafetensorsWriter.Write(Path.Combine(folder, name), shards[i]);
            foreach (var tensor in shards[i]) map[tensor.Name] = name;
        }
        var index = new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = tensors.Sum(tensor => tensor.Bytes) }, ["weight_map"] = map };
        AtomicFile.WriteText(Path.Combine(folder, Index), index.ToJsonString(new() { WriteIndented = true, NewLine = "\n" }) + "\n");
    }

    static List<List<TensorSource>> Shards(IReadOnlyList<TensorSource> tensors, long maxShardBytes)
    {
        var shards = new List<List<TensorSource>> { new() };
        long bytes = 0;
        foreach (var tensor in tensors)
        {
            if (shards[^1].Count > 0 && bytes + tensor.Bytes > maxShardBytes)
            {
                shards.Add([]);
                bytes = 0;
            }
            shards[^1].Add(tensor);
            bytes += tensor.Bytes;
        }
        return shards;
    }
}
