using static TorchSharp.torch;

namespace CoPe.Modeling.Safetensors;

/// <summary>Names of element types in a safetensors header.</summary>
static class SafetensorsDtype
{
    static readonly Dictionary<string, (ScalarType Type, int Bytes)> Known = new(StringComparer.Ordinal)
    {
        ["F64"] = (ScalarType.Float64, 8),
        ["F32"] = (ScalarType.Float32, 4),
        ["F16"] = (ScalarType.Float16, 2),
        ["BF16"] = (ScalarType.BFloat16, 2),
        ["I64"] = (ScalarType.Int64, 8),
        ["I32"] = (ScalarType.Int32, 4),
        ["I16"] = (ScalarType.Int16, 2),
        ["I8"] = (ScalarType.Int8, 1),
        ["U8"] = (ScalarType.Byte, 1),
        ["BOOL"] = (ScalarType.Bool, 1),
    };

    public static bool TryParse(string name, out ScalarType type, out int bytes)
    {
        var found = Known.TryGetValue(name, out var entry);
        (type, bytes) = entry;
        return found;
    }

    public static bool IsFloating(ScalarType type) => type is ScalarType.BFloat16 or ScalarType.Float16 or ScalarType.Float32;

    public static string NameOf(ScalarType type) => Known.First(k => k.Value.Type == type).Key;

    public static int BytesOf(ScalarType type) => Known.First(k => k.Value.Type == type).Value.Bytes;
}
