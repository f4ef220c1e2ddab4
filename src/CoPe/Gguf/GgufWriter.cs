using System.Text;

namespace CoPe.Gguf;

/// <summary>A tensor to be written, whose numbers are made only when its turn comes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its shape, rows first.</param>
/// <param name="Write">Writes its bytes.</param>
sealed record GgufTensorSource(string Name, GgufType Type, IReadOnlyList<long> Shape, Action<Stream> Write)
{
    /// <summary>Bytes in the file.</summary>
    public long Bytes => Shape.Aggregate(1L, (product, size) => product * size) / Type.BlockSize * Type.BlockBytes;
}

/// <summary>Writes GGUF files, version 3: metadata as given, then tensors, each at a multiple of 32.</summary>
static class GgufWriter
{
    const uint Version = 3;

    /// <summary>Writes aside and renames, so that a file of this name is always complete.</summary>
    /// <param name="path">The file.</param>
    /// <param name="metadata">
    /// Keys and values: string, bool, uint, float, or an array of strings, whole numbers or floats.
    /// </param>
    /// <param name="tensors">The tensors, written one after the other.</param>
    public static void Write(
        string path,
        IReadOnlyList<KeyValuePair<string, object>> metadata,
        IReadOnlyList<GgufTensorSource> tensors
    ) =>
        AtomicFile.Write(
            path,
            stream =>
            {
                var header = CreateHeader(metadata, tensors);
                stream.Write(header);
                foreach (var tensor in tensors)
                {
                    tensor.Write(stream);
                    stream.Write(new byte[CountPadding(tensor.Bytes)]);
                }
            }
        );

    static byte[] CreateHeader(
        IReadOnlyList<KeyValuePair<string, object>> metadata,
        IReadOnlyList<GgufTensorSource> tensors
    )
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(GgufFile.Magic);
        writer.Write(Version);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)metadata.Count);
        foreach (var (key, value) in metadata)
        {
            WriteText(writer, key);
            WriteValue(writer, key, value);
        }

        ulong offset = 0;
        foreach (var tensor in tensors)
        {
            WriteText(writer, tensor.Name);
            writer.Write((uint)tensor.Shape.Count);
            foreach (var dimension in tensor.Shape.Reverse())
            {
                writer.Write((ulong)dimension);
            }

            writer.Write(tensor.Type.Id);
            writer.Write(offset);
            offset += (ulong)(tensor.Bytes + CountPadding(tensor.Bytes));
        }

        writer.Write(new byte[CountPadding(bytes.Length)]);
        return bytes.ToArray();
    }

    /// <summary>Bytes to the next multiple of the alignment.</summary>
    static long CountPadding(long bytes) =>
        (GgufFile.DefaultAlignment - bytes % GgufFile.DefaultAlignment) % GgufFile.DefaultAlignment;

    static void WriteText(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    static void WriteValue(BinaryWriter writer, string key, object value)
    {
        writer.Write((uint)GetType(key, value));
        switch (value)
        {
            case string text:
                WriteText(writer, text);
                break;
            case bool flag:
                writer.Write(flag);
                break;
            case uint number:
                writer.Write(number);
                break;
            case float number:
                writer.Write(number);
                break;
            case string[] texts:
                WriteArrayStart(writer, GgufValueType.String, texts.Length);
                Array.ForEach(texts, text => WriteText(writer, text));
                break;
            case uint[] numbers when value.GetType() == typeof(uint[]): // an int[] would do
                WriteArrayStart(writer, GgufValueType.UInt32, numbers.Length);
                Array.ForEach(numbers, writer.Write);
                break;
            case int[] numbers:
                WriteArrayStart(writer, GgufValueType.Int32, numbers.Length);
                Array.ForEach(numbers, writer.Write);
                break;
            case float[] numbers:
                WriteArrayStart(writer, GgufValueType.Float32, numbers.Length);
                Array.ForEach(numbers, writer.Write);
                break;
        }
    }

    static void WriteArrayStart(BinaryWriter writer, GgufValueType type, int count)
    {
        writer.Write((uint)type);
        writer.Write((ulong)count);
    }

    static GgufValueType GetType(string key, object value) =>
        value switch
        {
            string => GgufValueType.String,
            bool => GgufValueType.Bool,
            uint => GgufValueType.UInt32,
            float => GgufValueType.Float32,
            string[] or uint[] or int[] or float[] => GgufValueType.Array,
            _ => throw new ArgumentException($"{key} has a value of type {value.GetType().Name}.", nameof(value)),
        };
}
