namespace CoPe.Gguf;

/// <summary>
/// An element type of a GGUF file (ggml's types). Weights of a row lie in blocks of so many, each of so many bytes.
/// </summary>
/// <param name="Id">Its number in the file.</param>
/// <param name="Name">What people call it.</param>
/// <param name="BlockSize">Weights of a block.</param>
/// <param name="BlockBytes">Bytes of a block; 0 for a type that is known by name alone.</param>
sealed record GgufType(uint Id, string Name, int BlockSize = 1, int BlockBytes = 0)
{
    public static readonly GgufType F32 = new(0, "F32", 1, 4);
    public static readonly GgufType F16 = new(1, "F16", 1, 2);
    public static readonly GgufType Q4_0 = new(2, "Q4_0", 32, 18);
    public static readonly GgufType Q4_1 = new(3, "Q4_1", 32, 20);
    public static readonly GgufType Q5_0 = new(6, "Q5_0", 32, 22);
    public static readonly GgufType Q5_1 = new(7, "Q5_1", 32, 24);
    public static readonly GgufType Q8_0 = new(8, "Q8_0", 32, 34);
    public static readonly GgufType Q4_K = new(12, "Q4_K", 256, 144);
    public static readonly GgufType Q5_K = new(13, "Q5_K", 256, 176);
    public static readonly GgufType Q6_K = new(14, "Q6_K", 256, 210);
    public static readonly GgufType Bf16 = new(30, "BF16", 1, 2);

    /// <summary>The types that are read, then those that are refused by name.</summary>
    static readonly GgufType[] All =
    [
        F32,
        F16,
        Bf16,
        Q8_0,
        Q4_0,
        Q4_1,
        Q5_0,
        Q5_1,
        Q4_K,
        Q5_K,
        Q6_K,
        new(9, "Q8_1"),
        new(10, "Q2_K"),
        new(11, "Q3_K"),
        new(15, "Q8_K"),
        new(16, "IQ2_XXS"),
        new(17, "IQ2_XS"),
        new(18, "IQ3_XXS"),
        new(19, "IQ1_S"),
        new(20, "IQ4_NL"),
        new(21, "IQ3_S"),
        new(22, "IQ2_S"),
        new(23, "IQ4_XS"),
        new(24, "I8"),
        new(25, "I16"),
        new(26, "I32"),
        new(27, "I64"),
        new(28, "F64"),
        new(29, "IQ1_M"),
        new(34, "TQ1_0"),
        new(35, "TQ2_0"),
        new(39, "MXFP4"),
    ];

    /// <summary>Whether tensors of it can be read.</summary>
    public bool IsRead => BlockBytes > 0;

    /// <summary>Whether its weights are numbers of their own.</summary>
    public bool IsFloat => BlockSize == 1;

    /// <summary>Bits of a code: 4 for Q4_0, Q4_1 and Q4_K.</summary>
    public bool HasFourBitCodes => this == Q4_0 || this == Q4_1 || this == Q4_K;

    /// <summary>The names of those that are read, for messages.</summary>
    public static string ReadNames => string.Join(", ", All.Where(type => type.IsRead).Select(type => type.Name));

    /// <summary>The type of a number; null where ggml has none that is known here.</summary>
    public static GgufType? Find(uint id) => Array.Find(All, type => type.Id == id);
}

/// <summary>Types of metadata values, by their numbers in the file.</summary>
enum GgufValueType : uint
{
    UInt8,
    Int8,
    UInt16,
    Int16,
    UInt32,
    Int32,
    Float32,
    Bool,
    String,
    Array,
    UInt64,
    Int64,
    Float64,
}

/// <summary>Where the elements of an array lie in the file.</summary>
readonly record struct GgufArray(GgufValueType Type, long Count, long Offset, long Bytes);

/// <summary>Where a tensor lies.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its shape, rows first: the file has it the other way around.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="Bytes">Number of bytes.</param>
sealed record GgufTensor(string Name, GgufType Type, IReadOnlyList<long> Shape, long Offset, long Bytes);

/// <summary>A GGUF file that cannot be used: which key or tensor, what was found and what was expected.</summary>
/// <param name="part">The key or tensor; empty where the whole file is meant.</param>
/// <param name="problem">What was found and what was expected.</param>
sealed class GgufException(string part, string problem) : FormatException($"{part}: {problem}")
{
    public string Part { get; } = part;

    public string Problem { get; } = problem;
}
