using System.Runtime.InteropServices;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// The few x86-64 instructions of a kernel whose heart .NET has no intrinsic for, as machine code (Intel 64 and IA-32
/// Architectures Software Developer's Manual, volume 2: section 2.1 for ModRM and SIB bytes, 2.3 for VEX and 2.7 for
/// EVEX prefixes). Registers go by their numbers: rax 0, rcx 1, rdx 2, rsi 6, rdi 7, r8 to r11 8 to 11 (rsp and r12 are
/// no bases here); zmm0 to zmm31; tmm0 to tmm7.
/// </summary>
sealed class Assembler
{
    readonly List<byte> _code = [];

    /// <summary><c>[base + index * scale + displacement]</c>; the scale is 1 or 2, and null is no index.</summary>
    public readonly record struct Address(int Base, int? Index = null, int Scale = 1, int Displacement = 0);

    /// <summary>Bytes so far: the place of the next instruction.</summary>
    public int Position => _code.Count;

    /// <summary>The code.</summary>
    public byte[] ToArray() => [.. _code];

    /// <summary><c>mov register, [address]</c>, 64 bits.</summary>
    public void LoadInteger(int register, Address address) => WriteLegacy([0x8B], register, address, wide: true);

    /// <summary><c>add register, number</c>.</summary>
    public void Add(int register, int number)
    {
        _code.AddRange([Rex(true, 0, null, register), 0x81, (byte)(0xC0 | (register & 7))]);
        _code.AddRange(BitConverter.GetBytes(number));
    }

    /// <summary><c>mov register, number</c>.</summary>
    public void Set(int register, int number)
    {
        _code.AddRange([Rex(true, 0, null, register), 0xC7, (byte)(0xC0 | (register & 7))]);
        _code.AddRange(BitConverter.GetBytes(number));
    }

    /// <summary><c>lea register, [address]</c>.</summary>
    public void LoadAddress(int register, Address address) => WriteLegacy([0x8D], register, address, wide: true);

    /// <summary><c>dec register; jnz target</c>.</summary>
    public void CountDown(int register, int target)
    {
        _code.AddRange([Rex(true, 0, null, register), 0xFF, (byte)(0xC8 | (register & 7)), 0x0F, 0x85]);
        _code.AddRange(BitConverter.GetBytes(target - (_code.Count + 4)));
    }

    /// <summary><c>prefetcht1 [address]</c>: into the second cache.</summary>
    public void Prefetch(Address address) => WriteLegacy([0x0F, 0x18], 2, address, wide: false);

    /// <summary><c>vmovups zmm, [address]</c>.</summary>
    public void Load(int zmm, Address address) => WriteVector(0x10, zmm, 0, address, map: 1, prefix: 0);

    /// <summary><c>vmovups [address], zmm</c>.</summary>
    public void Store(Address address, int zmm) => WriteVector(0x11, zmm, 0, address, map: 1, prefix: 0);

    /// <summary><c>vpxord zmm, zmm, zmm</c>.</summary>
    public void Clear(int zmm) => WriteVector(0xEF, zmm, zmm, zmm, map: 1, prefix: 1);

    /// <summary>
    /// <c>vdpbf16ps sum, a, b</c>: to each float32 lane of the sum, the product of the two bf16 pairs there.
    /// </summary>
    public void DotPairs(int sum, int a, int b) => WriteVector(0x52, sum, a, b, map: 2, prefix: 2);

    /// <summary><c>ldtilecfg [address]</c>: sizes of the tiles, from 64 bytes.</summary>
    public void LoadTileConfig(Address address) => WriteTile(0x49, 0, 0, address, prefix: 0);

    /// <summary><c>tilerelease</c>.</summary>
    public void ReleaseTiles() => WriteTile(0x49, 0, 0, 0, prefix: 0);

    /// <summary><c>tilezero tile</c>.</summary>
    public void ClearTile(int tile) => WriteTile(0x49, tile, 0, 0, prefix: 3);

    /// <summary><c>tileloadd tile, [address]</c>: the index is the distance of its rows; there must be one.</summary>
    public void LoadTile(int tile, Address address) => WriteTile(0x4B, tile, 0, address, prefix: 3);

    /// <summary><c>tilestored [address], tile</c>.</summary>
    public void StoreTile(Address address, int tile) => WriteTile(0x4B, tile, 0, address, prefix: 2);

    /// <summary>
    /// <c>tdpbf16ps sum, a, b</c>: to each float32 number of the sum, the products of the bf16 pairs in its row of a
    /// and its column of b.
    /// </summary>
    public void MultiplyTiles(int sum, int a, int b) => WriteTile(0x5C, sum, b, a, prefix: 2);

    /// <summary><c>vzeroupper; ret</c>.</summary>
    public void Return() => _code.AddRange([0xC5, 0xF8, 0x77, 0xC3]);

    void WriteLegacy(ReadOnlySpan<byte> opcode, int register, Address address, bool wide)
    {
        _code.Add(Rex(wide, register, address.Index, address.Base));
        _code.AddRange(opcode);
        WriteMemoryOperand(register, address);
    }

    void WriteVector(byte opcode, int register, int second, Address address, int map, int prefix)
    {
        WriteEvexPrefix(register, second, (address.Index ?? 0) >> 3, address.Base >> 3, map, prefix);
        _code.Add(opcode);
        WriteMemoryOperand(register, address);
    }

    void WriteVector(byte opcode, int register, int second, int third, int map, int prefix)
    {
        WriteEvexPrefix(register, second, third >> 4, third >> 3, map, prefix);
        _code.AddRange([opcode, (byte)(0xC0 | (register & 7) << 3 | (third & 7))]);
    }

    void WriteTile(byte opcode, int register, int second, Address address, int prefix)
    {
        WriteVexPrefix(second, (address.Index ?? 0) >> 3, address.Base >> 3, prefix);
        _code.Add(opcode);
        WriteMemoryOperand(register, address);
    }

    void WriteTile(byte opcode, int register, int second, int third, int prefix)
    {
        WriteVexPrefix(second, 0, 0, prefix);
        _code.AddRange([opcode, (byte)(0xC0 | (register & 7) << 3 | (third & 7))]);
    }

    /// <summary>Prefix of a tile instruction; register bits are stored inverted.</summary>
    void WriteVexPrefix(int second, int x, int b, int prefix) =>
        _code.AddRange([0xC4, (byte)(0x80 | (~x & 1) << 6 | (~b & 1) << 5 | 2), (byte)((~second & 15) << 3 | prefix)]);

    static byte Rex(bool wide, int register, int? index, int @base) =>
        (byte)(0x40 | (wide ? 8 : 0) | (register >> 3 & 1) << 2 | ((index ?? 0) >> 3 & 1) << 1 | (@base >> 3 & 1));

    /// <summary>Prefix of a 512-bit instruction; register bits are stored inverted.</summary>
    void WriteEvexPrefix(int register, int second, int x, int b, int map, int prefix) =>
        _code.AddRange([
            0x62,
            (byte)((~register >> 3 & 1) << 7 | (~x & 1) << 6 | (~b & 1) << 5 | (~register >> 4 & 1) << 4 | map),
            (byte)((~second & 15) << 3 | 4 | prefix),
            (byte)(0x40 | (~second >> 4 & 1) << 3),
        ]);

    /// <summary>
    /// ModRM, with a SIB byte where there is an index, and always four bytes of displacement, which EVEX does not
    /// scale.
    /// </summary>
    void WriteMemoryOperand(int register, Address address)
    {
        if (address.Index is { } index)
        {
            _code.AddRange([
                (byte)(0x84 | (register & 7) << 3),
                (byte)((address.Scale == 2 ? 1 : 0) << 6 | (index & 7) << 3 | (address.Base & 7)),
            ]);
        }
        else
        {
            _code.Add((byte)(0x80 | (register & 7) << 3 | (address.Base & 7)));
        }

        _code.AddRange(BitConverter.GetBytes(address.Displacement));
    }
}

/// <summary>
/// Machine code made at run time, on Linux: written to fresh memory, which is then made executable and no longer
/// writable, and stays for the life of the process.
/// </summary>
static unsafe partial class ExecutableMemory
{
    const int Read = 1;
    const int Write = 2;
    const int Execute = 4;
    const int PrivateAnonymous = 0x22;

    /// <summary>The address of the code; null where the system allows no such memory.</summary>
    public static void* Allocate(byte[] code)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var memory = Map(null, (nuint)code.Length, Read | Write, PrivateAnonymous, -1, 0);
        if ((nint)memory == -1)
        {
            return null;
        }

        code.CopyTo(new Span<byte>(memory, code.Length));
        if (Protect(memory, (nuint)code.Length, Read | Execute) == 0)
        {
            return memory;
        }

        _ = Unmap(memory, (nuint)code.Length);
        return null;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
