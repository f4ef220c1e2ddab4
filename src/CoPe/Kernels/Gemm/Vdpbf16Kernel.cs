using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// Products of four bf16 weight rows with one, two or four bf16 columns by AVX512_BF16's <c>vdpbf16ps</c>, which
/// multiplies 32 pairs and needs no conversion: with four columns it does in 16 instructions what
/// <see cref="Bf16MicroKernel{T}"/> does in 40. .NET 10 has no intrinsic for it, so the loop is machine code made at
/// run time. A sum is taken in the same order whatever the number of columns.
/// </summary>
static unsafe class Vdpbf16Kernel
{
    /// <summary>Weights of a row that are read in a step.</summary>
    public const int Block = 32;

    /// <summary>Sums that come of each product of a row and a column, to be added up.</summary>
    public const int SumLanes = 16;

    /// <summary>Most columns at once.</summary>
    public const int MaxColumns = 4;

    // Registers that a function may leave changed under Unix's calling convention: the argument in rdi, the rest from
    // rcx on.
    const int Arguments = 7,
        Steps = 1,
        Columns = 2,
        Weights = 8,
        Stride = 9,
        Stride3 = 10,
        Next = 11;
    const int FirstSum = 16,
        Column = 4;

    /// <summary>Code for 1, 2 and 4 columns, each fetching 1, 2 or 4 lines a step.</summary>
    static readonly nint[] Variants = CompileVariants();

    /// <summary>Whether this processor has the instruction and this system lets code be made at run time.</summary>
    public static bool IsSupported => Variants.Length > 0;

    /// <summary>What a call reads and writes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct CallArguments
    {
        /// <summary>The first of four rows.</summary>
        public ushort* Weights;

        /// <summary>Bytes from a row to the next.</summary>
        public nint Stride;

        /// <summary>Columns as <see cref="PackColumns"/> leaves them.</summary>
        public ushort* Columns;

        /// <summary>What to fetch meanwhile, as one stream, as in <see cref="Bf16MicroKernel{T}"/>.</summary>
        public ushort* Next;

        /// <summary>Blocks of a row.</summary>
        public nint Steps;

        /// <summary><c>[columns, 4 rows, 16]</c>, written.</summary>
        public float* Sums;
    }

    /// <summary>
    /// Multiplies with 1, 2 or 4 columns, fetching 1, 2 or 4 cache lines ahead in each step, which reads four.
    /// </summary>
    public static void Multiply(CallArguments* work, int columns, int lines)
    {
        if (work->Steps == 0)
        {
            new Span<float>(work->Sums, 4 * SumLanes * columns).Clear();
        }
        else
        {
            (
                (delegate* unmanaged[SuppressGCTransition]<CallArguments*, void>)
                    Variants[3 * (columns >> 1) + (lines >> 1)]
            )(work);
        }
    }

    /// <summary>
    /// The sums <c>[columns, 4 rows]</c> of 1, 2 or 4 columns; past them the first column's again. Taken for all at
    /// once, each in the same order.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Vector512<float> ReduceSums(in CallArguments work, int columns)
    {
        var first = AddQuarters(work.Sums);
        var second = columns > 1 ? AddQuarters(work.Sums + 4 * SumLanes) : first;
        var front = AddHalves(first, second);
        var back =
            columns > 2
                ? AddHalves(AddQuarters(work.Sums + 8 * SumLanes), AddQuarters(work.Sums + 12 * SumLanes))
                : front;
        // Lanes 0, 2 of both, and 1, 3.
        return Avx512F.Shuffle4x128(front, back, 0x88) + Avx512F.Shuffle4x128(front, back, 0xDD);
    }

    /// <summary>In each 128-bit lane a quarter of the sums of the four rows.</summary>
    static Vector512<float> AddQuarters(float* sums)
    {
        Vector512<float> a = Vector512.Load(sums),
            b = Vector512.Load(sums + SumLanes),
            c = Vector512.Load(sums + 2 * SumLanes),
            d = Vector512.Load(sums + 3 * SumLanes);
        var ab = (Avx512F.UnpackLow(a, b) + Avx512F.UnpackHigh(a, b)).AsDouble(); // a0+a2, b0+b2, a1+a3, b1+b3
        var cd = (Avx512F.UnpackLow(c, d) + Avx512F.UnpackHigh(c, d)).AsDouble();
        return Avx512F.UnpackLow(ab, cd).AsSingle() + Avx512F.UnpackHigh(ab, cd).AsSingle();
    }

    /// <summary>Lanes 0 + 2 and 1 + 3 of the first, then of the second.</summary>
    static Vector512<float> AddHalves(Vector512<float> first, Vector512<float> second) =>
        Avx512F.Shuffle4x128(first, second, 0x44) + Avx512F.Shuffle4x128(first, second, 0xEE);

    /// <summary>
    /// Lays columns <c>[columns, stride]</c> block by block: the first block of each, the second of each, and so on;
    /// what is left of the block length stays out.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PackColumns(ushort* from, int stride, int columns, ushort* to)
    {
        for (var k = 0; k + Block <= stride; k += Block)
        {
            for (var c = 0; c < columns; c++, to += Block)
            {
                Vector512.Load(from + (long)c * stride + k).Store(to);
            }
        }
    }

    /// <summary>Empty where the processor lacks the instruction or the system forbids the code.</summary>
    static nint[] CompileVariants()
    {
        var hasInstruction = Processor.InstructionSets.Contains(Processor.Bf16DotProduct);
        if (!Vector512.IsHardwareAccelerated || !X86Base.X64.IsSupported || !hasInstruction)
        {
            return [];
        }

        nint[] codes =
        [
            .. Enumerable
                .Range(0, 9)
                .Select(i => (nint)ExecutableMemory.Allocate(Assemble(columns: 1 << i / 3, lines: 1 << i % 3))),
        ];
        return codes.Contains(0) ? [] : codes;
    }

    static byte[] Assemble(int columns, int lines)
    {
        var asm = new Assembler();
        foreach (var (register, field) in new[] { (Weights, 0), (Stride, 1), (Columns, 2), (Next, 3), (Steps, 4) })
        {
            asm.LoadInteger(register, new(Arguments, Displacement: 8 * field));
        }

        asm.LoadAddress(Stride3, new(Stride, Stride, 2));
        for (var sum = 0; sum < 4 * columns; sum++)
        {
            asm.Clear(FirstSum + sum);
        }

        var loop = asm.Position;
        for (var line = 0; line < lines; line++)
        {
            asm.Prefetch(new(Next, Displacement: 64 * line));
        }

        asm.Load(0, new(Weights));
        asm.Load(1, new(Weights, Stride));
        asm.Load(2, new(Weights, Stride, 2));
        asm.Load(3, new(Weights, Stride3));
        for (var column = 0; column < columns; column++)
        {
            asm.Load(Column, new(Columns, Displacement: 64 * column));
            for (var row = 0; row < 4; row++)
            {
                asm.DotPairs(FirstSum + 4 * column + row, row, Column);
            }
        }
        asm.Add(Weights, 64);
        asm.Add(Columns, 64 * columns);
        asm.Add(Next, 64 * lines);
        asm.CountDown(Steps, loop);
        asm.LoadInteger(Columns, new(Arguments, Displacement: 8 * 5));
        for (var sum = 0; sum < 4 * columns; sum++)
        {
            asm.Store(new(Columns, Displacement: 64 * sum), FirstSum + sum);
        }

        asm.Return();
        return asm.ToArray();
    }
}
