using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace CoPe.Kernels;

/// <summary>
/// The processor that kernels run on, as it describes itself: also what a library has been told to leave unused.
/// </summary>
static class Processor
{
    const int FeatureLeaf = 7;
    const int BrandLeaf = unchecked((int)0x80000002);
    const int BrandLeaves = 3;

    /// <summary>Instruction sets by which libraries choose their code, with the register and bit that tell.</summary>
    static readonly (string Name, int SubLeaf, Register Register, int Bit)[] Known =
    [
        ("avx2", 0, Register.Ebx, 5),
        ("avx512f", 0, Register.Ebx, 16),
        ("avx512bw", 0, Register.Ebx, 30),
        ("avx512_vnni", 0, Register.Ecx, 11),
        (Bf16DotProduct, 1, Register.Eax, 5),
        ("avx512_fp16", 0, Register.Edx, 23),
        (Bf16Tiles, 0, Register.Edx, 22),
        ("amx_int8", 0, Register.Edx, 25),
    ];

    enum Register
    {
        Eax,
        Ebx,
        Ecx,
        Edx,
    }

    /// <summary>The set with <c>VDPBF16PS</c>.</summary>
    public const string Bf16DotProduct = "avx512_bf16";

    /// <summary>The set with <c>TDPBF16PS</c>.</summary>
    public const string Bf16Tiles = "amx_bf16";

    /// <summary>Its name, or its architecture where it has none.</summary>
    public static string Name { get; } = ReadName();

    /// <summary>Instruction sets beyond the least of its architecture, by which libraries choose their code.</summary>
    public static IReadOnlyList<string> InstructionSets { get; } =
    [.. Known.Where(set => HasBit(set.SubLeaf, set.Register, set.Bit)).Select(set => set.Name)];

    /// <summary>Bits of the widest vectors that .NET computes with.</summary>
    public static int VectorBits =>
        Vector512.IsHardwareAccelerated ? 512
        : Vector256.IsHardwareAccelerated ? 256
        : Vector128.IsHardwareAccelerated ? 128
        : 0;

    static bool HasBit(int subLeaf, Register register, int bit)
    {
        if (!X86Base.IsSupported || X86Base.CpuId(0, 0).Eax < FeatureLeaf)
        {
            return false;
        }

        if (subLeaf > X86Base.CpuId(FeatureLeaf, 0).Eax)
        {
            return false;
        }

        var (eax, ebx, ecx, edx) = X86Base.CpuId(FeatureLeaf, subLeaf);
        var value = register switch
        {
            Register.Eax => eax,
            Register.Ebx => ebx,
            Register.Ecx => ecx,
            _ => edx,
        };
        return (value & 1 << bit) != 0;
    }

    static string ReadName()
    {
        var architecture = RuntimeInformation.ProcessArchitecture.ToString();
        if (!X86Base.IsSupported || (uint)X86Base.CpuId(BrandLeaf & ~0xF, 0).Eax < unchecked((uint)BrandLeaf) + 2)
        {
            return architecture;
        }

        var letters = new List<int>();
        for (var leaf = 0; leaf < BrandLeaves; leaf++)
        {
            var (eax, ebx, ecx, edx) = X86Base.CpuId(BrandLeaf + leaf, 0);
            letters.AddRange([eax, ebx, ecx, edx]);
        }

        var name = Encoding.ASCII.GetString(MemoryMarshal.AsBytes<int>(letters.ToArray())).Trim('\0', ' ');
        return name.Length > 0 ? name : architecture;
    }
}
