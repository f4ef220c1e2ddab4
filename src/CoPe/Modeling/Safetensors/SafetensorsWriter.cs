using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace CoPe.Modeling.Safetensors;

/// <summary>Writes safetensors files as the library of that name does: header padded to 8 bytes, widest dtype first, then by name.</summary>
public static class SafetensorsWriter
{
    /// <summary>Elements handed to the file at once: a tensor may be larger than a span can be.</summary>
    const long ElementsAtOnce = 1 << 26;

    /// <summary>Writes the tensors aside and renames, so that a file of this name is always whole. <paramref name="dtype"/> converts; null keeps each tensor's.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, ScalarType? dtype = null) =>
        Write(path, tensors.Select(t => new TensorSource(t.Key, dtype ?? t.Value.dtype, t.Value.shape, t.Value.alias)));

    /// <summary>The same for tensors that are opened one after the other, so that one at a time is in memory.</summary>
    internal static void Write(string path, IEnumerable<TensorSource> tensors)
    {
        var order = tensors.OrderByDescending(t => SafetensorsDtype.BytesOf(t.Dtype)).ThenBy(t => t.Name, StringComparer.Ordinal).ToList();
        AtomicFile.Write(path, stream =>
        {
            stream.Write(Header(order));
            foreach (var tensor in order) WriteData(stream, tensor);
        });
    }

    static byte[] Header(IEnumerable<TensorSource> order)
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
        writer.WriteString("dtype", SafetensorsDtype.NameOf(tensor.Dtype));
        writer.WriteStartArray("shape");
        foreach (var dim in tensor.Shape) writer.WriteNumberValue(dim);
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
        for (long first = 0; first < flat.numel(); first += ElementsAtOnce)
        {
            using var part = flat.narrow(0, first, Math.Min(ElementsAtOnce, flat.numel() - first)).to(source.Dtype).cpu();
            stream.Write(part.contiguous().bytes);
        }
    }
}
