using System.Buffers.Binary;
using System.Text.Json;
using CoPe.Runs;
using static TorchSharp.torch;

namespace CoPe.Modeling.Safetensors;

/// <summary>Writes safetensors files as the library of that name does: header padded to 8 bytes, widest dtype first, then by name.</summary>
public static class SafetensorsWriter
{
    /// <summary>Writes the tensors aside and renames, so that a file of this name is always whole. <paramref name="dtype"/> converts; null keeps each tensor's.</summary>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, ScalarType? dtype = null)
    {
        var order = tensors.Select(t => (Name: t.Key, Tensor: t.Value, Dtype: dtype ?? t.Value.dtype))
            .OrderByDescending(t => SafetensorsDtype.BytesOf(t.Dtype)).ThenBy(t => t.Name, StringComparer.Ordinal).ToList();
        AtomicFile.Write(path, stream =>
        {
            stream.Write(Header(order));
            foreach (var (_, tensor, type) in order) WriteData(stream, tensor, type);
        });
    }

    static byte[] Header(IEnumerable<(string Name, Tensor Tensor, ScalarType Dtype)> order)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            writer.WriteString("format", "pt");
            writer.WriteEndObject();
            long offset = 0;
            foreach (var (name, tensor, type) in order)
            {
                var end = offset + tensor.numel() * SafetensorsDtype.BytesOf(type);
                WriteEntry(writer, name, tensor.shape, SafetensorsDtype.NameOf(type), (offset, end));
                offset = end;
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

    static void WriteEntry(Utf8JsonWriter writer, string name, long[] shape, string dtype, (long Begin, long End) offsets)
    {
        writer.WriteStartObject(name);
        writer.WriteString("dtype", dtype);
        writer.WriteStartArray("shape");
        foreach (var dim in shape) writer.WriteNumberValue(dim);
        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets");
        writer.WriteNumberValue(offsets.Begin);
        writer.WriteNumberValue(offsets.End);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    static void WriteData(Stream stream, Tensor tensor, ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        stream.Write(tensor.detach().to(dtype).cpu().contiguous().bytes);
    }
}
