using Type = TorchSharp.torch.ScalarType;

namespace CoPe.Modeling.Safetensors;

/// <summary>
/// An element type of the safetensors format. Tensors of every one may lie in a file; those that torch has no type for
/// here are only passed on.
/// </summary>
/// <param name="Name">Its name in a header.</param>
/// <param name="Bits">Bits of an element.</param>
/// <param name="ScalarType">Torch's type; null where it is not computed with.</param>
sealed record SafetensorsDtype(string Name, int Bits, Type? ScalarType)
{
    static readonly SafetensorsDtype[] All =
    [
        new("F64", 64, Type.Float64),
        new("F32", 32, Type.Float32),
        new("F16", 16, Type.Float16),
        new("BF16", 16, Type.BFloat16),
        new("I64", 64, Type.Int64),
        new("I32", 32, Type.Int32),
        new("I16", 16, Type.Int16),
        new("I8", 8, Type.Int8),
        new("U8", 8, Type.Byte),
        new("BOOL", 8, Type.Bool),
        new("C64", 64, null),
        new("U64", 64, null),
        new("U32", 32, null),
        new("U16", 16, null),
        new("F8_E4M3", 8, null),
        new("F8_E5M2", 8, null),
        new("F8_E8M0", 8, null),
        new("F8_E4M3FNUZ", 8, null),
        new("F8_E5M2FNUZ", 8, null),
        new("F6_E2M3", 6, null),
        new("F6_E3M2", 6, null),
        new("F4", 4, null),
    ];

    /// <summary>Every name, for messages.</summary>
    public static string Names => string.Join(", ", All.Select(dtype => dtype.Name));

    /// <summary>The names of those that are computed with, for messages.</summary>
    public static string ComputedNames =>
        string.Join(", ", All.Where(dtype => dtype.ScalarType is not null).Select(dtype => dtype.Name));

    /// <summary>Whether weights may be of it.</summary>
    public bool IsFloating => ScalarType is Type.BFloat16 or Type.Float16 or Type.Float32;

    /// <summary>The type of a name; null for one that the format does not have.</summary>
    public static SafetensorsDtype? Find(string name) => Array.Find(All, dtype => dtype.Name == name);

    /// <summary>The type of torch's tensors.</summary>
    public static SafetensorsDtype Of(Type type) => All.First(dtype => dtype.ScalarType == type);

    /// <summary>Bytes of an element of torch's tensors.</summary>
    public static int GetElementSize(Type type) => Of(type).Bits / 8;
}
