using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// Products of bf16 matrices by AMX (Intel Architecture Instruction Set Extensions Programming Reference, chapter 3),
/// which multiplies tiles of 16 rows and 64 bytes: 16,384 pairs in 16 cycles. .NET 10 has no intrinsics for it, so the
/// loop is machine code made at run time. Sums are float32, in the order of the depth; numbers too small to be normal
/// count as zero.
/// </summary>
static unsafe partial class AmxBf16Kernel
{
    /// <summary>Rows of a tile, and columns of a tile of sums.</summary>
    public const int Tile = 16;

    /// <summary>Rows of A, and most columns of B, that a call multiplies: two tiles each.</summary>
    public const int Block = 2 * Tile;

    /// <summary>Numbers of a row, or of a column, that a tile holds.</summary>
    public const int Depth = 32;

    /// <summary>Numbers of a tile of A or B.</summary>
    public const int TileLength = Tile * Depth;

    /// <summary>Sums of a tile.</summary>
    public const int TileSums = Tile * Tile;

    // Registers that a function may leave changed under Unix's calling convention.
    const int Arguments = 7,
        Steps = 1,
        LineLength = 2,
        SecondColumns = 6,
        Rows = 8,
        Stride = 9,
        SecondRows = 10,
        Columns = 11;

    /// <summary>Tiles: sums [row tile, column tile] from 0 on, then those of A and of B.</summary>
    const int A = 4,
        B = 6;
    const int CacheLine = 64;

    static readonly Codes? Compiled = Compile();

    /// <summary>
    /// Whether this processor has the instructions and this system allows them and code made at run time.
    /// </summary>
    public static bool IsSupported => Compiled is not null;

    /// <summary>What a call reads and writes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct CallArguments
    {
        /// <summary>The first row of A.</summary>
        public ushort* Rows;

        /// <summary>Row 16 of A.</summary>
        public ushort* SecondRows;

        /// <summary>Bytes from a row of A to the next.</summary>
        public nint Stride;

        /// <summary>
        /// 16 columns of B, tile after tile: <c>[depth / 32, 16 pairs, 16 columns, 2]</c>.
        /// </summary>
        public ushort* Columns;

        /// <summary>16 columns more.</summary>
        public ushort* SecondColumns;

        /// <summary>Tiles of depth, at least one.</summary>
        public nint Steps;

        /// <summary><c>[2 row tiles, column tiles, 16, 16]</c>.</summary>
        public float* Sums;
    }

    /// <summary>
    /// Takes the tiles of this thread into use. Between this and <see cref="Release"/> nobody else may multiply tiles
    /// on the thread.
    /// </summary>
    public static void Configure()
    {
        var config = stackalloc byte[CacheLine];
        new Span<byte>(config, CacheLine).Clear();
        config[0] = 1; // the palette of eight tiles
        for (var tile = 0; tile < 8; tile++)
        {
            config[16 + 2 * tile] = CacheLine; // bytes of a row
            config[48 + tile] = Tile; // rows
        }

        ((delegate* unmanaged[SuppressGCTransition]<byte*, void>)Compiled!.Configure)(config);
    }

    /// <summary>Gives the tiles back.</summary>
    public static void Release() => ((delegate* unmanaged[SuppressGCTransition]<void>)Compiled!.Release)();

    /// <summary>Multiplies 32 rows with 16 or 32 columns.</summary>
    /// <param name="work">What to multiply.</param>
    /// <param name="columnTiles">Tiles of columns, 1 or 2.</param>
    /// <param name="adds">Whether the products are added to the sums, which else begin at zero.</param>
    public static void Multiply(CallArguments* work, int columnTiles, bool adds)
    {
        var code = Compiled!.Products[2 * (columnTiles - 1) + (adds ? 1 : 0)];
        ((delegate* unmanaged[SuppressGCTransition]<CallArguments*, void>)code)(work);
    }

    static Codes? Compile()
    {
        var hasInstructions =
            Vector512.IsHardwareAccelerated
            && Avx512BW.IsSupported
            && X86Base.X64.IsSupported
            && Processor.InstructionSets.Contains(Processor.Bf16Tiles);
        if (!hasInstructions || !TilePermission.Request())
        {
            return null;
        }

        nint[] products =
        [
            Allocate(AssembleProduct(1, adds: false)),
            Allocate(AssembleProduct(1, adds: true)),
            Allocate(AssembleProduct(2, adds: false)),
            Allocate(AssembleProduct(2, adds: true)),
        ];
        var (configure, release) = (Allocate(AssembleConfigure()), Allocate(AssembleRelease()));
        var isWhole = !products.Contains(0) && configure != 0 && release != 0;
        return isWhole ? new(products, configure, release) : null;
    }

    static nint Allocate(byte[] code) => (nint)ExecutableMemory.Allocate(code);

    static byte[] AssembleConfigure()
    {
        var asm = new Assembler();
        asm.LoadTileConfig(new(Arguments));
        asm.Return();
        return asm.ToArray();
    }

    static byte[] AssembleRelease()
    {
        var asm = new Assembler();
        asm.ReleaseTiles();
        asm.Return();
        return asm.ToArray();
    }

    static byte[] AssembleProduct(int columnTiles, bool adds)
    {
        const int sumsField = 6;
        var asm = new Assembler();
        asm.Set(LineLength, CacheLine);
        asm.LoadInteger(Columns, new(Arguments, Displacement: sizeof(long) * sumsField));
        for (var sum = 0; sum < 2 * columnTiles; sum++)
        {
            if (adds)
            {
                asm.LoadTile(sum, GetSums(sum));
            }
            else
            {
                asm.ClearTile(sum);
            }
        }

        foreach (
            var (register, field) in new[]
            {
                (Rows, 0),
                (SecondRows, 1),
                (Stride, 2),
                (Columns, 3),
                (SecondColumns, 4),
                (Steps, 5),
            }
        )
        {
            asm.LoadInteger(register, new(Arguments, Displacement: sizeof(long) * field));
        }

        var loop = asm.Position;
        asm.LoadTile(A, new(Rows, Stride));
        asm.LoadTile(B, new(Columns, LineLength));
        asm.LoadTile(A + 1, new(SecondRows, Stride));
        asm.MultiplyTiles(0, A, B);
        asm.MultiplyTiles(columnTiles, A + 1, B);
        if (columnTiles == 2)
        {
            asm.LoadTile(B + 1, new(SecondColumns, LineLength));
            asm.MultiplyTiles(1, A, B + 1);
            asm.MultiplyTiles(3, A + 1, B + 1);
        }

        asm.Add(Rows, CacheLine);
        asm.Add(SecondRows, CacheLine);
        asm.Add(Columns, TileLength * sizeof(ushort));
        asm.Add(SecondColumns, TileLength * sizeof(ushort));
        asm.CountDown(Steps, loop);
        asm.LoadInteger(Columns, new(Arguments, Displacement: sizeof(long) * sumsField));
        for (var sum = 0; sum < 2 * columnTiles; sum++)
        {
            asm.StoreTile(GetSums(sum), sum);
        }

        asm.Return();
        return asm.ToArray();

        static Assembler.Address GetSums(int sum) =>
            new(Columns, LineLength, Displacement: sum * TileSums * sizeof(float));
    }

    /// <summary>The compiled functions.</summary>
    /// <param name="Products">For one column tile, anew and adding, then for two.</param>
    /// <param name="Configure">Takes the tiles into use.</param>
    /// <param name="Release">Gives them back.</param>
    sealed record Codes(nint[] Products, nint Configure, nint Release);

    /// <summary>
    /// A process must ask Linux for the state of tiles, once for all its threads (Documentation/arch/x86/xstate.rst).
    /// </summary>
    static partial class TilePermission
    {
        const nint ArchPrctl = 158;
        const nint RequestPermission = 0x1023; // ARCH_REQ_XCOMP_PERM
        const nint TileData = 18; // XFEATURE_XTILEDATA

        public static bool Request() => OperatingSystem.IsLinux() && Call(ArchPrctl, RequestPermission, TileData) == 0;

        [LibraryImport("libc", EntryPoint = "syscall")]
        private static partial nint Call(nint number, nint code, nint argument);
    }
}
