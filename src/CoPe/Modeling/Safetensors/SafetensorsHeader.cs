using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace CoPe.Modeling.Safetensors;

/// <summary>The header of a safetensors file: eight bytes of length (little endian), then JSON. Every bound is checked before anything is mapped.</summary>
static class SafetensorsHeader
{
    /// <summary>The format's own limit: a longer header is refused before it is read.</summary>
    const long MaxBytes = 100_000_000;

    /// <summary>Dimensions that a message lists.</summary>
    const int MostDimensions = 8;

    static ReadOnlySpan<byte> LfsMark => "version https://git-lfs"u8;

    /// <summary>Length of a file, or of what it links to.</summary>
    public static long FileBytes(string file)
    {
        using var handle = System.IO.File.OpenHandle(file);
        return RandomAccess.GetLength(handle);
    }

    /// <summary>Throws where a file begins as what git leaves in the place of a large file that was not fetched.</summary>
    public static void RefusePointer(string file, ReadOnlySpan<byte> start)
    {
        if (start.StartsWith(LfsMark)) throw new ModelFileException(file, "is a Git LFS pointer, not the file itself; fetch it with 'git lfs pull' or download it again.");
    }

    public static IReadOnlyList<TensorEntry> Read(string file)
    {
        using var handle = System.IO.File.OpenHandle(file);
        var fileBytes = RandomAccess.GetLength(handle);
        var start = new byte[Math.Min(fileBytes, 64)];
        RandomAccess.Read(handle, start, 0);
        RefusePointer(file, start);
        if (fileBytes < 8) throw new ModelFileException(file, $"has {fileBytes} bytes; a safetensors file has at least 8. Download it again.");

        var length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > MaxBytes || (long)length > fileBytes - 8)
            throw new ModelFileException(file, $"says that its header has {length} bytes, but the file has {fileBytes} (and a header at most {MaxBytes}); it is truncated or no safetensors file.");
        var json = new byte[length];
        var read = RandomAccess.Read(handle, json, 8);
        if (read != json.Length) throw new ModelFileException(file, $"ended after {read} of {length} header bytes.");
        return Parse(file, json, 8 + (long)length, fileBytes);
    }

    static List<TensorEntry> Parse(string file, byte[] json, long dataStart, long fileBytes)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new ModelFileException(file, "the header is no JSON object.");
            var entries = new List<TensorEntry>();
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var item in document.RootElement.EnumerateObject())
            {
                if (!names.Add(item.Name)) throw new ModelFileException(file, item.Name, "the header names this tensor twice.");
                if (item.Name != "__metadata__") entries.Add(Entry(file, item, dataStart));
                else if (item.Value.ValueKind != JsonValueKind.Object) throw new ModelFileException(file, item.Name, "is no JSON object.");
            }
            CheckLayout(file, entries, dataStart, fileBytes);
            return entries;
        }
        catch (Exception e) when (e is JsonException or DecoderFallbackException or InvalidOperationException)
        {
            throw new ModelFileException(file, $"the header is no valid JSON: {e.Message}", e);
        }
    }

    static TensorEntry Entry(string file, JsonProperty item, long dataStart)
    {
        ModelFileException Bad(string problem) => new(file, item.Name, problem);
        var value = item.Value;
        if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shape) || !value.TryGetProperty("data_offsets", out var offsets))
            throw Bad("the header entry lacks dtype, shape or data_offsets.");
        if (value.EnumerateObject().GroupBy(field => field.Name).FirstOrDefault(field => field.Skip(1).Any()) is { } twice) throw Bad($"the header entry has {twice.Key} twice.");
        if (!SafetensorsDtype.TryParse(dtype.GetString()!, out var type, out var size))
            throw Bad($"dtype {dtype.GetString()} is not supported; expected one of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL.");
        if (Numbers(shape) is not { } dims) throw Bad("the shape is no list of whole numbers >= 0.");
        if (Numbers(offsets) is not [var begin, var end] || end < begin) throw Bad("data_offsets is no pair begin <= end.");
        if (Bytes(dims, size) is not { } needed || needed != end - begin)
            throw Bad($"shape [{string.Join(", ", dims.Take(MostDimensions))}{(dims.Length > MostDimensions ? ", ..." : "")}] of {dtype.GetString()} does not fill its {end - begin} bytes.");
        if (begin > long.MaxValue - dataStart) throw Bad($"data offset {begin} lies past the end of the file.");
        return new TensorEntry(item.Name, type, dims, dataStart + begin, needed);
    }

    static long[]? Numbers(JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array) return null;
        var numbers = new long[list.GetArrayLength()];
        for (var i = 0; i < numbers.Length; i++)
            if (list[i].ValueKind != JsonValueKind.Number || !list[i].TryGetInt64(out numbers[i]) || numbers[i] < 0) return null;
        return numbers;
    }

    static long? Bytes(long[] shape, int size)
    {
        long bytes = size;
        if (shape.Contains(0)) return 0;
        foreach (var dim in shape)
        {
            if (bytes > long.MaxValue / dim) return null;
            bytes *= dim;
        }
        return bytes;
    }

    /// <summary>The format demands tensors end to end, from the first data byte to the last of the file.</summary>
    static void CheckLayout(string file, List<TensorEntry> entries, long dataStart, long fileBytes)
    {
        var next = dataStart;
        foreach (var entry in entries.OrderBy(e => e.Offset).ThenBy(e => e.Bytes))
        {
            if (entry.Offset != next)
                throw new ModelFileException(file, entry.Name, $"data begins at byte {entry.Offset - dataStart}, expected {next - dataStart}: tensors overlap or leave a gap.");
            if (entry.Bytes > fileBytes - next)
                throw new ModelFileException(file, entry.Name, $"data ends at byte {entry.Offset - dataStart + entry.Bytes}, but the file holds only {fileBytes - dataStart} data bytes; it is truncated. Download it again.");
            next += entry.Bytes;
        }
        if (next != fileBytes) throw new ModelFileException(file, $"has {fileBytes - next} bytes after its last tensor.");
    }
}
