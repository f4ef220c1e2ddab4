using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace CoPe.Modeling.Safetensors;

/// <summary>
/// Writes safetensors files as the library of that name does: header padded to 8 bytes, widest dtype first, then by
/// name.
/// </summary>
static class SafetensorsWriter
{
    /// <summary>Elements handed to the file at once: a tensor may be larger than a span can be.</summary>
    const long ElementsPerWrite = 1 << 26;

    /// <summary>
    /// Writes the tensors aside and renames, so that a file of this name is always complete. <paramref name="dtype"/>
    /// converts; null keeps each tensor's. The tensors are still the caller's.
    /// </summary>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, ScalarType? dtype = null)
    {
        var sources = tensors.Select(named =>
        {
            var (name, tensor) = named;
            return new TensorSource(name, SafetensorsDtype.Of(dtype ?? tensor.dtype), tensor.shape, tensor.alias);
        });
        Write(path, sources);
    }

    /// <summary>The same for tensors that are opened one after the other, so that one at a time is in memory.</summary>
    public static void Write(string path, IEnumerable<TensorSource> tensors)
    {
        var order = tensors
            .OrderByDescending(tensor => tensor.Dtype.Bits)
            .ThenBy(tensor => tensor.Name, StringComparer.Ordinal)
            .ToList();
        AtomicFile.Write(
            path,
            stream =>
            {
                stream.Write(CreateHeader(order));
                foreach (var tensor in order)
                {
                    WriteData(stream, tensor);
                }
            }
        );
    }

    static byte[] CreateHeader(IEnumerable<TensorSource> order)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            writer.WriteString("format", "pt");
            writer.WriteEndObject();
            long offset = 0;
            foreach (var tensor in order)
            {
                WriteEntry(writer, tensor, offset);
                offset += tensor.Bytes;
            }

            writer.WriteEndObject();
        }

        var padded = (int)(json.Length + 7) / 8 * 8;
        var header = new byte[8 + padded];
        header.AsSpan(8).Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(header, padded);
        json.ToArray().CopyTo(header, 8);
        return header;
    }

    static void WriteEntry(Utf8JsonWriter writer, TensorSource tensor, long offset)
    {
        writer.WriteStartObject(tensor.Name);
        writer.WriteString("dtype", tensor.Dtype.Name);
        writer.WriteStartArray("shape");
        foreach (var dim in tensor.Shape)
        {
            writer.WriteNumberValue(dim);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets");
        writer.WriteNumberValue(offset);
        writer.WriteNumberValue(offset + tensor.Bytes);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    static void WriteData(Stream stream, TensorSource source)
    {
        using var scope = NewDisposeScope();
        using var tensor = source.Open();
        var flat = tensor.detach().contiguous().view(-1);
        for (long first = 0; first < flat.numel(); first += ElementsPerWrite)
        {
            using var chunkScope = NewDisposeScope();
            var count = Math.Min(ElementsPerWrite, flat.numel() - first);
            var chunk = flat.narrow(0, first, count).to(source.Dtype.ScalarType ?? flat.dtype).cpu();
            stream.Write(chunk.contiguous().bytes);
        }
    }
}

/// <summary>A tensor to be written, opened only when its turn comes.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Dtype">Its element type in the file.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Open">
/// Gives the tensor, or its bytes where torch has no such type; the writer disposes it.
/// </param>
sealed record TensorSource(string Name, SafetensorsDtype Dtype, IReadOnlyList<long> Shape, Func<Tensor> Open)
{
    /// <summary>Bytes in the file.</summary>
    public long Bytes => Shape.Aggregate((long)Dtype.Bits, (product, size) => product * size) / 8;
}

/// <summary>
/// Writes a checkpoint as Hugging Face lays it out: <c>model.safetensors</c>, or shards named by
/// <c>model.safetensors.index.json</c> where one file would be too large.
/// </summary>
static class ShardedCheckpoint
{
    public const string SingleFileName = "model.safetensors";
    public const string IndexFileName = "model.safetensors.index.json";

    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>
    /// Writes the tensors in the order given; a tensor larger than a shard has one of its own. The index comes last, so
    /// that a folder with an index is complete.
    /// </summary>
    public static void Write(string folder, IReadOnlyList<TensorSource> tensors, long maxShardBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxShardBytes, 1);
        var shards = SplitIntoShards(tensors, maxShardBytes);
        if (shards.Count == 1)
        {
            SafetensorsWriter.Write(Path.Combine(folder, SingleFileName), shards[0]);
            return;
        }

        var map = new JsonObject();
        for (var i = 0; i < shards.Count; i++)
        {
            var name = $"model-{i + 1:00000}-of-{shards.Count:00000}.safetensors";
            SafetensorsWriter.Write(Path.Combine(folder, name), shards[i]);
            foreach (var tensor in shards[i])
            {
                map[tensor.Name] = name;
            }
        }

        var index = new JsonObject
        {
            ["metadata"] = new JsonObject { ["total_size"] = tensors.Sum(tensor => tensor.Bytes) },
            ["weight_map"] = map,
        };
        AtomicFile.WriteText(Path.Combine(folder, IndexFileName), index.ToJsonString(Indented) + "\n");
    }

    static List<List<TensorSource>> SplitIntoShards(IReadOnlyList<TensorSource> tensors, long maxShardBytes)
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
