using System.Globalization;
using System.Numerics;

namespace CoPe.Gguf;

/// <summary>
/// The header of a GGUF file, llama.cpp's format: metadata by key and a list of tensors. Nothing of the tensors
/// themselves is read. All bounds are checked against the file before memory is taken: counts, lengths, offsets.
/// </summary>
sealed class GgufFile
{
    public const string Extension = ".gguf";
    public const uint Magic = 0x46554747; // "GGUF"
    public const int DefaultAlignment = 32;
    public const string AlignmentKey = "general.alignment";
    public const string ArchitectureKey = "general.architecture";

    const int MaxDimensions = 4;
    const int MaxAlignment = 1 << 20;

    /// <summary>Bytes of the shortest key with its value, and of the shortest entry of a tensor.</summary>
    const int ShortestValue = 8 + 4 + 1;
    const int ShortestTensor = 8 + 4 + 8 + 4 + 8;

    readonly Dictionary<string, object> _values;

    GgufFile(string path, Dictionary<string, object> values, IReadOnlyList<GgufTensor> tensors)
    {
        Path = path;
        _values = values;
        Tensors = tensors;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its keys, in the file's order.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>Its tensors, in the file's order.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>Whether a path names a file of this format, be it there or not, and no folder.</summary>
    public static bool IsNamed(string path) =>
        path.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) && !Directory.Exists(path);

    /// <summary>Reads the header.</summary>
    /// <exception cref="GgufException">The file is damaged, or of a kind that is not read.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static GgufFile Open(string path)
    {
        using var cursor = new GgufCursor(path);
        var (tensorCount, valueCount) = ReadStart(cursor);
        var values = ReadValues(cursor, valueCount);
        var file = new GgufFile(path, values, []);
        if (file.GetInteger("split.count") is > 1 and var parts)
        {
            throw new GgufException(
                "split.count",
                $"is {parts}: a model in several files is not read; join them with 'llama-gguf-split --merge'"
            );
        }

        return new GgufFile(path, values, ReadTensors(cursor, tensorCount, file.ReadAlignment()));
    }

    static (long Tensors, long Values) ReadStart(GgufCursor cursor)
    {
        const string Part = "the header";
        var magic = cursor.ReadUInt32(Part);
        if (magic != Magic)
        {
            throw new GgufException(Part, $"begins with 0x{magic:X8}; a GGUF file begins with GGUF (0x{Magic:X8})");
        }

        var version = cursor.ReadUInt32(Part);
        if (version is not (2 or 3))
        {
            var hint = (version & 0xFFFF) == 0 ? ", as of a file for big-endian processors" : "";
            throw new GgufException(Part, $"has version {version}{hint}; 2 and 3 are read");
        }

        var tensors = cursor.ReadCount(Part, "tensors", ShortestTensor);
        return (tensors, cursor.ReadCount(Part, "keys", ShortestValue));
    }

    static Dictionary<string, object> ReadValues(GgufCursor cursor, long count)
    {
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        for (long i = 0; i < count; i++)
        {
            var key = cursor.ReadString($"key {i + 1} of {count}", GgufCursor.MaxNameBytes);
            var type = ReadType(cursor, key);
            var value = type switch
            {
                GgufValueType.Array => ReadArray(cursor, key),
                GgufValueType.String => cursor.ReadString(key),
                _ => cursor.ReadScalar(type, key),
            };
            if (!values.TryAdd(key, value))
            {
                throw new GgufException(key, "occurs twice");
            }
        }

        return values;
    }

    static GgufValueType ReadType(GgufCursor cursor, string key)
    {
        var type = cursor.ReadUInt32(key);
        return type <= (uint)GgufValueType.Float64
            ? (GgufValueType)type
            : throw new GgufException(key, $"has a value of type {type}; 0 to 12 were expected");
    }

    /// <summary>Where an array lies; its elements are read where they are asked for.</summary>
    static GgufArray ReadArray(GgufCursor cursor, string key)
    {
        var type = ReadType(cursor, key);
        if (type == GgufValueType.Array)
        {
            throw new GgufException(key, "is an array of arrays, which is not read");
        }

        var isText = type == GgufValueType.String;
        var count = cursor.ReadCount(key, "elements", isText ? sizeof(ulong) : GgufCursor.GetSize(type));
        var start = cursor.Position;
        if (!isText)
        {
            cursor.Skip(count * GgufCursor.GetSize(type), key);
        }

        for (long i = 0; isText && i < count; i++)
        {
            cursor.SkipString(key);
        }

        return new(type, count, start, cursor.Position - start);
    }

    int ReadAlignment()
    {
        var alignment = GetInteger(AlignmentKey) ?? DefaultAlignment;
        return alignment is > 0 and <= MaxAlignment && BitOperations.IsPow2(alignment)
            ? (int)alignment
            : throw new GgufException(
                AlignmentKey,
                $"is {alignment}; a power of two up to {MaxAlignment} was expected"
            );
    }

    static List<GgufTensor> ReadTensors(GgufCursor cursor, long count, int alignment)
    {
        var tensors = new List<GgufTensor>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (long i = 0; i < count; i++)
        {
            var name = cursor.ReadString($"tensor {i + 1} of {count}", GgufCursor.MaxNameBytes);
            if (!names.Add(name))
            {
                throw new GgufException(name, "this tensor occurs twice");
            }

            tensors.Add(ReadTensor(cursor, name, alignment));
        }

        var dataStart = (cursor.Position + alignment - 1) / alignment * alignment;
        return PlaceTensors(tensors, dataStart, cursor.Length);
    }

    /// <summary>A tensor, its offset still counted from the first byte of data.</summary>
    static GgufTensor ReadTensor(GgufCursor cursor, string name, int alignment)
    {
        var dimensions = cursor.ReadUInt32(name);
        if (dimensions is < 1 or > MaxDimensions)
        {
            throw new GgufException(name, $"has {dimensions} dimensions; 1 to {MaxDimensions} were expected");
        }

        var shape = new long[dimensions];
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            shape[i] = (long)Math.Min(cursor.ReadUInt64(name), long.MaxValue);
        }

        var id = cursor.ReadUInt32(name);
        var type = GgufType.Find(id);
        if (type is not { IsRead: true })
        {
            throw new GgufException(
                name,
                $"is of type {type?.Name ?? id.ToString(CultureInfo.InvariantCulture)}, which is "
                    + $"not read; supported: {GgufType.ReadNames}. Take a file of one of these."
            );
        }

        var offset = cursor.ReadUInt64(name);
        if (offset > long.MaxValue || offset % (ulong)alignment != 0)
        {
            throw new GgufException(name, $"begins at byte {offset} of the data, no multiple of {alignment}");
        }

        return new(name, type, shape, (long)offset, CountBytes(name, type, shape));
    }

    static long CountBytes(string name, GgufType type, long[] shape)
    {
        var text = string.Join(", ", shape);
        if (shape.Contains(0))
        {
            throw new GgufException(name, $"has shape [{text}]; every dimension has at least 1");
        }

        if (shape[^1] % type.BlockSize != 0)
        {
            throw new GgufException(
                name,
                $"has rows of {shape[^1]} weights, which are no whole blocks of {type.BlockSize} ({type.Name})"
            );
        }

        var bytes = shape[^1] / type.BlockSize * (Int128)type.BlockBytes;
        foreach (var dimension in shape[..^1])
        {
            bytes *= dimension;
            if (bytes > long.MaxValue)
            {
                throw new GgufException(name, $"has shape [{text}], more than any file can hold");
            }
        }

        return bytes <= long.MaxValue
            ? (long)bytes
            : throw new GgufException(name, $"has shape [{text}], more than any file can hold");
    }

    /// <summary>The tensors with offsets from the file's start, all within it and none over another.</summary>
    static List<GgufTensor> PlaceTensors(List<GgufTensor> tensors, long dataStart, long fileBytes)
    {
        long end = 0;
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Offset))
        {
            if (tensor.Offset < end)
            {
                throw new GgufException(
                    tensor.Name,
                    $"begins at byte {tensor.Offset} of the data, within another tensor that ends at {end}"
                );
            }

            var available = fileBytes - dataStart;
            if (tensor.Offset > available || tensor.Bytes > available - tensor.Offset)
            {
                throw new GgufException(
                    tensor.Name,
                    $"has {tensor.Bytes} bytes from byte {tensor.Offset} of the data on, but the file holds "
                        + $"{Math.Max(0, available)}; it is truncated: download it again"
                );
            }

            end = tensor.Offset + tensor.Bytes;
        }

        return [.. tensors.Select(tensor => tensor with { Offset = dataStart + tensor.Offset })];
    }

    /// <summary>Whether the file has a key.</summary>
    public bool Has(string key) => _values.ContainsKey(key);

    /// <summary>A text; null where the key is missing.</summary>
    public string? GetString(string key) => Get<string>(key, "a text");

    public bool? GetBoolean(string key) => GetStruct<bool>(key, "true or false");

    public long? GetInteger(string key) => GetStruct<long>(key, "a whole number");

    /// <summary>A number, whole or not.</summary>
    public double? GetNumber(string key)
    {
        var number = _values.GetValueOrDefault(key) is long whole ? whole : GetStruct<double>(key, "a number");
        return number is null || double.IsFinite(number.Value)
            ? number
            : throw Unexpected(key, number, "a finite number");
    }

    /// <summary>Whether a key holds an array.</summary>
    public bool IsArray(string key) => _values.GetValueOrDefault(key) is GgufArray;

    /// <summary>Texts of an array; null where the key is missing.</summary>
    public string[]? GetStrings(string key) =>
        ReadArray(key, "texts", type => type == GgufValueType.String, (cursor, _) => cursor.ReadString(key));

    /// <summary>Numbers of an array, whole or not.</summary>
    public double[]? GetNumbers(string key) =>
        ReadArray(
            key,
            "numbers",
            type => type is not (GgufValueType.String or GgufValueType.Bool),
            (cursor, type) => cursor.ReadScalar(type, key) is var value && value is long whole ? whole : (double)value
        );

    T[]? ReadArray<T>(
        string key,
        string expected,
        Func<GgufValueType, bool> isExpected,
        Func<GgufCursor, GgufValueType, T> read
    )
    {
        if (GetStruct<GgufArray>(key, $"an array of {expected}") is not { } array)
        {
            return null;
        }

        if (array.Count > 0 && !isExpected(array.Type))
        {
            throw new GgufException(key, $"is an array of type {array.Type}; one of {expected} was expected");
        }

        using var cursor = new GgufCursor(Path, array.Offset);
        var elements = new T[array.Count];
        for (long i = 0; i < array.Count; i++)
        {
            elements[i] = read(cursor, array.Type);
        }

        return elements;
    }

    T? GetStruct<T>(string key, string expected)
        where T : struct =>
        _values.TryGetValue(key, out var value)
            ? value is T found
                ? found
                : throw Unexpected(key, value, expected)
            : null;

    T? Get<T>(string key, string expected)
        where T : class =>
        _values.TryGetValue(key, out var value) ? value as T ?? throw Unexpected(key, value, expected) : null;

    static GgufException Unexpected(string key, object value, string expected) =>
        new(key, $"is {DescribeValue(value)}; {expected} was expected");

    static string DescribeValue(object value) =>
        value switch
        {
            GgufArray array => $"an array of {array.Count}",
            string => "a text",
            bool => "true or false",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.GetType().Name,
        };
}
