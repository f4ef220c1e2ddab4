using System.Buffers.Binary;
using System.Text.Json;
using CoPe.Json;
using static TorchSharp.torch;

namespace CoPe.Modeling.Safetensors;

/// <summary>A file of named tensors.</summary>
interface IWeightFile : IDisposable
{
    /// <summary>The file.</summary>
    string Path { get; }

    /// <summary>Its tensors.</summary>
    IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>
    /// A tensor as <paramref name="dtype"/> (null: as its entry says), read-only, over the file's bytes where these are
    /// it. The caller owns it; it stays valid after this object is disposed.
    /// </summary>
    /// <exception cref="ModelFileException">The file has no such tensor.</exception>
    Tensor Read(string name, ScalarType? dtype = null);

    /// <summary>The bytes of a tensor of a type that is only passed on, flat; of others the tensor.</summary>
    Tensor ReadBytes(string name);
}

/// <summary>A safetensors file, memory-mapped: tensors are views of the file and copy nothing.</summary>
sealed class SafetensorsFile : IWeightFile
{
    readonly MappedFile _mapping;
    readonly Dictionary<string, TensorEntry> _entries;

    SafetensorsFile(string path, IReadOnlyList<TensorEntry> entries)
    {
        Path = path;
        Entries = entries;
        _entries = entries.ToDictionary(e => e.Name, StringComparer.Ordinal);
        _mapping = new MappedFile(path);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its tensors in the header's order.</summary>
    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>Opens a file and checks its whole header.</summary>
    /// <exception cref="ModelFileException">The file is missing, truncated or malformed.</exception>
    public static SafetensorsFile Open(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                throw new ModelFileException(path, "is missing.");
            }

            return new SafetensorsFile(path, SafetensorsHeader.Read(path));
        }
        catch (FileNotFoundException e)
        {
            throw new ModelFileException(path, "is a link to a file that is gone. Download it again.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ModelFileException(path, "may not be read by this user.", e);
        }
    }

    /// <summary>Whether the file has this tensor.</summary>
    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>
    /// A tensor of the file's dtype and shape over its bytes, read-only. The caller owns it; it stays valid after this
    /// object is disposed.
    /// </summary>
    /// <exception cref="ModelFileException">The file has no such tensor.</exception>
    public Tensor Read(string name)
    {
        if (!_entries.TryGetValue(name, out var entry))
        {
            throw new ModelFileException(Path, name, "this tensor is missing.");
        }

        return entry.Dtype.ScalarType is { } type
            ? _mapping.CreateTensor(entry, type)
            : throw new ModelFileException(
                Path,
                name,
                $"has dtype {entry.Dtype.Name}, which is not computed with here; expected one of "
                    + $"{SafetensorsDtype.ComputedNames}."
            );
    }

    public Tensor Read(string name, ScalarType? dtype)
    {
        var tensor = Read(name);
        if (dtype is not { } target || tensor.dtype == target)
        {
            return tensor;
        }

        using (tensor)
        {
            return tensor.to(target).DetachFromDisposeScope();
        }
    }

    /// <summary>The bytes of a tensor of any dtype, flat; otherwise as <see cref="Read(string)"/>.</summary>
    public Tensor ReadBytes(string name)
    {
        var entry = _entries[name];
        return _mapping.CreateTensor(entry with { Shape = [entry.Bytes] }, ScalarType.Byte);
    }

    public void Dispose() => _mapping.Dispose();
}

/// <summary>Where one tensor lies in a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Dtype">Its element type.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="Bytes">Number of bytes.</param>
sealed record TensorEntry(string Name, SafetensorsDtype Dtype, IReadOnlyList<long> Shape, long Offset, long Bytes)
{
    /// <summary>What the file calls the type, where it is read as another one.</summary>
    public string StoredType { get; init; } = Dtype.Name;
}

/// <summary>
/// The header of a safetensors file: eight bytes of length (little endian), then JSON. Every bound is checked before
/// anything is mapped.
/// </summary>
static class SafetensorsHeader
{
    /// <summary>The format's own limit: a longer header is refused before it is read.</summary>
    const long MaxBytes = 100_000_000;

    /// <summary>Dimensions that a message lists.</summary>
    const int MaxListedDimensions = 8;

    static ReadOnlySpan<byte> LfsPointerStart => "version https://git-lfs"u8;

    /// <summary>Length of a file, or of what it links to.</summary>
    public static long GetFileLength(string file)
    {
        using var handle = System.IO.File.OpenHandle(file);
        return RandomAccess.GetLength(handle);
    }

    /// <exception cref="ModelFileException">
    /// The file begins as what git leaves in the place of a large file that was not fetched.
    /// </exception>
    public static void ThrowIfLfsPointer(string file, ReadOnlySpan<byte> start)
    {
        if (start.StartsWith(LfsPointerStart))
        {
            throw new ModelFileException(
                file,
                "is a Git LFS pointer, not the file itself; fetch it with 'git lfs pull' or download it again."
            );
        }
    }

    /// <summary>The tensors of a file, in the header's order.</summary>
    /// <exception cref="ModelFileException">The file is truncated or malformed.</exception>
    public static IReadOnlyList<TensorEntry> Read(string file)
    {
        using var handle = System.IO.File.OpenHandle(file);
        var fileBytes = RandomAccess.GetLength(handle);
        var start = new byte[Math.Min(fileBytes, 64)];
        RandomAccess.Read(handle, start, 0);
        ThrowIfLfsPointer(file, start);
        if (fileBytes < 8)
        {
            throw new ModelFileException(
                file,
                $"has {fileBytes} bytes; a safetensors file has at least 8. Download it again."
            );
        }

        var length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > MaxBytes || (long)length > fileBytes - 8)
        {
            throw new ModelFileException(
                file,
                $"says that its header has {length} bytes, but the file has {fileBytes} (and a header at most "
                    + $"{MaxBytes}); it is truncated or no safetensors file."
            );
        }

        var json = new byte[length];
        var read = RandomAccess.Read(handle, json, 8);
        if (read != json.Length)
        {
            throw new ModelFileException(file, $"ended after {read} of {length} header bytes.");
        }

        return Parse(file, json, 8 + (long)length, fileBytes);
    }

    static List<TensorEntry> Parse(string file, byte[] json, long dataStart, long fileBytes)
    {
        if (json is not [(byte)'{', ..])
        {
            throw new ModelFileException(file, "the header does not begin with an object; it is no safetensors file.");
        }

        var root = ParseJson(file, json);
        var entries = new List<TensorEntry>();
        foreach (var item in root.EnumerateObject())
        {
            if (item.Name != "__metadata__")
            {
                entries.Add(ParseEntry(file, item, dataStart));
            }
            else if (item.Value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null))
            {
                throw new ModelFileException(file, item.Name, $"is {item.Value.Describe()}; expected an object.");
            }
        }

        CheckLayout(file, entries, dataStart, fileBytes);
        return entries;
    }

    static JsonElement ParseJson(string file, byte[] json)
    {
        try
        {
            return StrictJson.Parse(json);
        }
        catch (InvalidJsonException e)
        {
            throw new ModelFileException(file, $"header {e.Message}", e);
        }
    }

    static TensorEntry ParseEntry(string file, JsonProperty item, long dataStart)
    {
        ModelFileException Malformed(string problem) => new(file, item.Name, problem);

        var fields = ReadFields(file, item);
        var dtype =
            SafetensorsDtype.Find(fields.Dtype)
            ?? throw Malformed($"dtype {fields.Dtype} is not known; expected one of {SafetensorsDtype.Names}.");

        if (ParseNumbers(fields.Shape) is not { } shape)
        {
            throw Malformed("the shape is no list of whole numbers >= 0.");
        }

        if (ParseNumbers(fields.Offsets) is not [var begin, var end] || end < begin)
        {
            throw Malformed("data_offsets is no pair begin <= end.");
        }

        if (CountBytes(shape, dtype.Bits) is not { } needed || needed != end - begin)
        {
            throw Malformed($"shape {Describe(shape)} of {dtype.Name} does not fill its {end - begin} bytes.");
        }

        if (begin > long.MaxValue - dataStart)
        {
            throw Malformed($"data offset {begin} lies past the end of the file.");
        }

        return new TensorEntry(item.Name, dtype, shape, dataStart + begin, needed);
    }

    static (string Dtype, JsonElement Shape, JsonElement Offsets) ReadFields(string file, JsonProperty item)
    {
        var value = item.Value;
        if (
            value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var dtype)
            || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shape)
            || !value.TryGetProperty("data_offsets", out var offsets)
        )
        {
            throw new ModelFileException(file, item.Name, "the header entry lacks dtype, shape or data_offsets.");
        }

        return (dtype.GetString()!, shape, offsets);
    }

    static string Describe(long[] shape)
    {
        var listed = string.Join(", ", shape.Take(MaxListedDimensions));
        return shape.Length > MaxListedDimensions ? $"[{listed}, ...]" : $"[{listed}]";
    }

    static long[]? ParseNumbers(JsonElement list)
    {
        if (list.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var numbers = new long[list.GetArrayLength()];
        for (var i = 0; i < numbers.Length; i++)
        {
            if (list[i].ValueKind != JsonValueKind.Number || !list[i].TryGetInt64(out numbers[i]) || numbers[i] < 0)
            {
                return null;
            }
        }

        return numbers;
    }

    /// <summary>Null where they are more than fit a number, or no whole bytes.</summary>
    static long? CountBytes(long[] shape, int bitsOfElement)
    {
        if (shape.Contains(0))
        {
            return 0;
        }

        long bits = bitsOfElement;
        foreach (var dimension in shape)
        {
            if (bits > long.MaxValue / dimension)
            {
                return null;
            }

            bits *= dimension;
        }

        return bits % 8 == 0 ? bits / 8 : null;
    }

    /// <summary>The format demands tensors end to end, from the first data byte to the last of the file.</summary>
    static void CheckLayout(string file, List<TensorEntry> entries, long dataStart, long fileBytes)
    {
        var next = dataStart;
        foreach (var entry in entries.OrderBy(entry => entry.Offset).ThenBy(entry => entry.Bytes))
        {
            var begin = entry.Offset - dataStart;
            if (entry.Offset != next)
            {
                throw new ModelFileException(
                    file,
                    entry.Name,
                    $"data begins at byte {begin}, expected {next - dataStart}: tensors overlap or leave a gap."
                );
            }

            if (entry.Bytes > fileBytes - next)
            {
                throw new ModelFileException(
                    file,
                    entry.Name,
                    $"data ends at byte {begin + entry.Bytes}, but the file holds only {fileBytes - dataStart} data "
                        + "bytes; it is truncated. Download it again."
                );
            }

            next += entry.Bytes;
        }

        if (next != fileBytes)
        {
            throw new ModelFileException(file, $"has {fileBytes - next} bytes after its last tensor.");
        }
    }
}
