using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// Products of eight rows of 4-bit codes with one, two or four columns of int8 numbers. Each lane is a row: a group's
/// sum of whole numbers is converted once and scaled for eight rows at a time, and no sum runs over lanes.
/// </summary>
static unsafe class Q4MicroKernel
{
    /// <summary>Columns that are multiplied with the codes at once.</summary>
    public const int MaxColumns = 4;

    /// <summary>Rows of a register.</summary>
    public const int Rows = 8;

    /// <summary>
    /// <c>sums[8 c + r] = sum over groups of scale_r * scale_c * (q_r . q_c) + min_r * sum_c</c> for row r of half a
    /// panel and column c.
    /// </summary>
    /// <param name="panel">The panel's first group, at this half's codes.</param>
    /// <param name="half">Which half: 0 or 1.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="count">How many: 1, 2 or 4.</param>
    /// <param name="sums">Where the results go.</param>
    public static void Multiply<TProducts>(byte* panel, int half, in Q4Columns columns, int count, float* sums)
        where TProducts : struct, IByteProducts
    {
        switch (count)
        {
            case 1:
                MultiplyOne<TProducts>(panel, half, columns, sums);
                break;
            case 2:
                MultiplyTwo<TProducts>(panel, half, columns, sums);
                break;
            default:
                MultiplyFour<TProducts>(panel, half, columns, sums);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyOne<TProducts>(byte* panel, int half, in Q4Columns x, float* sums)
        where TProducts : struct, IByteProducts
    {
        var a = Vector256<float>.Zero;
        for (var group = 0; group < x.Groups; group++, panel += Q4Weights.GroupBytes)
        {
            var codes = new Codes(panel, half);
            a = Add<TProducts>(a, codes, x, 0, group);
        }

        a.Store(sums);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyTwo<TProducts>(byte* panel, int half, in Q4Columns x, float* sums)
        where TProducts : struct, IByteProducts
    {
        Vector256<float> a = default,
            b = default;
        for (var group = 0; group < x.Groups; group++, panel += Q4Weights.GroupBytes)
        {
            var codes = new Codes(panel, half);
            a = Add<TProducts>(a, codes, x, 0, group);
            b = Add<TProducts>(b, codes, x, 1, group);
        }

        a.Store(sums);
        b.Store(sums + Rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyFour<TProducts>(byte* panel, int half, in Q4Columns x, float* sums)
        where TProducts : struct, IByteProducts
    {
        Vector256<float> a = default,
            b = default,
            c = default,
            d = default;
        for (var group = 0; group < x.Groups; group++, panel += Q4Weights.GroupBytes)
        {
            var codes = new Codes(panel, half);
            a = Add<TProducts>(a, codes, x, 0, group);
            b = Add<TProducts>(b, codes, x, 1, group);
            c = Add<TProducts>(c, codes, x, 2, group);
            d = Add<TProducts>(d, codes, x, 3, group);
        }

        a.Store(sums);
        b.Store(sums + Rows);
        c.Store(sums + 2 * Rows);
        d.Store(sums + 3 * Rows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> Add<TProducts>(Vector256<float> sum, in Codes codes, in Q4Columns x, int column, int group)
        where TProducts : struct, IByteProducts
    {
        var at = (long)column * x.Groups + group;
        var products = Vector256.ConvertToSingle(TProducts.Multiply(codes, x.Levels + at * Q4Group.Size));
        var scaled = Vector256.FusedMultiplyAdd(products, codes.Scales * x.Scales[at], sum);
        return Vector256.FusedMultiplyAdd(codes.Mins, Vector256.Create(x.Sums[at]), scaled);
    }

    /// <summary>Eight rows' codes of a group, four columns a register, with their scales and minima.</summary>
    public readonly ref struct Codes
    {
        public readonly Vector256<byte> Columns0;
        public readonly Vector256<byte> Columns4;
        public readonly Vector256<byte> Columns8;
        public readonly Vector256<byte> Columns12;
        public readonly Vector256<byte> Columns16;
        public readonly Vector256<byte> Columns20;
        public readonly Vector256<byte> Columns24;
        public readonly Vector256<byte> Columns28;
        public readonly Vector256<float> Scales;
        public readonly Vector256<float> Mins;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Codes(byte* group, int half)
        {
            var codes = group + half * Vector256<byte>.Count;
            (Columns0, Columns16) = Unpack(codes);
            (Columns4, Columns20) = Unpack(codes + 64);
            (Columns8, Columns24) = Unpack(codes + 128);
            (Columns12, Columns28) = Unpack(codes + 192);
            var scales = (ushort*)(group + Q4Weights.ScalesAt) + half * Rows;
            (Scales, Mins) = (Bf16.Widen(scales), Bf16.Widen(scales + Q4Weights.PanelRows));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static (Vector256<byte> Low, Vector256<byte> High) Unpack(byte* pairs)
        {
            var (loaded, mask) = (Vector256.Load(pairs), Vector256.Create((byte)0x0F));
            return (loaded & mask, Vector256.ShiftRightLogical(loaded.AsUInt16(), 4).AsByte() & mask);
        }
    }
}

/// <summary>Columns as <see cref="Int8Activations"/> rounds them, one after the other.</summary>
/// <param name="LevelsAt">Their numbers, int8, 32 to a group.</param>
/// <param name="ScalesAt">A scale for each group, float32.</param>
/// <param name="SumsAt">A sum for each group, float32.</param>
/// <param name="Groups">Groups of a column.</param>
readonly unsafe record struct Q4Columns(nint LevelsAt, nint ScalesAt, nint SumsAt, int Groups)
{
    public sbyte* Levels => (sbyte*)LevelsAt;

    public float* Scales => (float*)ScalesAt;

    public float* Sums => (float*)SumsAt;

    /// <summary>The columns from one on.</summary>
    public Q4Columns From(int column)
    {
        var groups = (long)column * Groups;
        return new(
            LevelsAt + (nint)(groups * Q4Group.Size),
            ScalesAt + (nint)(groups * sizeof(float)),
            SumsAt + (nint)(groups * sizeof(float)),
            Groups
        );
    }
}

/// <summary>A way to multiply whole numbers; all give the same sums.</summary>
unsafe interface IByteProducts
{
    /// <summary>For each of eight rows the sum of 32 products of a code and a number.</summary>
    static abstract Vector256<int> Multiply(in Q4MicroKernel.Codes codes, sbyte* numbers);
}

/// <summary>
/// AVX2: pairs of products in int16. The eight of a lane add up to at most <c>8 * 2 * 15 * 127</c>, which is less than
/// an int16's largest.
/// </summary>
readonly unsafe struct Avx2ByteProducts : IByteProducts
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Multiply(in Q4MicroKernel.Codes codes, sbyte* numbers)
    {
        var even = Avx2.MultiplyAddAdjacent(codes.Columns0, Four(numbers));
        var odd = Avx2.MultiplyAddAdjacent(codes.Columns4, Four(numbers + 4));
        even += Avx2.MultiplyAddAdjacent(codes.Columns8, Four(numbers + 8));
        odd += Avx2.MultiplyAddAdjacent(codes.Columns12, Four(numbers + 12));
        even += Avx2.MultiplyAddAdjacent(codes.Columns16, Four(numbers + 16));
        odd += Avx2.MultiplyAddAdjacent(codes.Columns20, Four(numbers + 20));
        even += Avx2.MultiplyAddAdjacent(codes.Columns24, Four(numbers + 24));
        odd += Avx2.MultiplyAddAdjacent(codes.Columns28, Four(numbers + 28));
        return Avx2.MultiplyAddAdjacent(even + odd, Vector256<short>.One);
    }

    /// <summary>Four numbers, for each of eight rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<sbyte> Four(sbyte* numbers) => Vector256.Create(*(int*)numbers).AsSByte();
}

/// <summary>AVX-VNNI: four products a lane, in int32.</summary>
readonly unsafe struct VnniByteProducts : IByteProducts
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Multiply(in Q4MicroKernel.Codes codes, sbyte* numbers)
    {
        var even = Add(Vector256<int>.Zero, codes.Columns0, numbers);
        var odd = Add(Vector256<int>.Zero, codes.Columns4, numbers + 4);
        even = Add(even, codes.Columns8, numbers + 8);
        odd = Add(odd, codes.Columns12, numbers + 12);
        even = Add(even, codes.Columns16, numbers + 16);
        odd = Add(odd, codes.Columns20, numbers + 20);
        even = Add(even, codes.Columns24, numbers + 24);
        odd = Add(odd, codes.Columns28, numbers + 28);
        return even + odd;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<int> Add(Vector256<int> sums, Vector256<byte> codes, sbyte* numbers) =>
        AvxVnni.MultiplyWideningAndAdd(sums, codes, Avx2ByteProducts.Four(numbers));
}

/// <summary>.NET's vectors, whatever the processor.</summary>
readonly unsafe struct PortableByteProducts : IByteProducts
{
    public static Vector256<int> Multiply(in Q4MicroKernel.Codes codes, sbyte* numbers)
    {
        var sums = Add(Vector256<int>.Zero, codes.Columns0, numbers);
        sums = Add(sums, codes.Columns4, numbers + 4);
        sums = Add(sums, codes.Columns8, numbers + 8);
        sums = Add(sums, codes.Columns12, numbers + 12);
        sums = Add(sums, codes.Columns16, numbers + 16);
        sums = Add(sums, codes.Columns20, numbers + 20);
        sums = Add(sums, codes.Columns24, numbers + 24);
        return Add(sums, codes.Columns28, numbers + 28);
    }

    /// <summary>Of each lane's four codes, byte by byte.</summary>
    static Vector256<int> Add(Vector256<int> sums, Vector256<byte> codes, sbyte* numbers)
    {
        var (lanes, mask) = (codes.AsInt32(), Vector256.Create(0xFF));
        sums += (lanes & mask) * numbers[0];
        sums += (Vector256.ShiftRightLogical(lanes, 8) & mask) * numbers[1];
        sums += (Vector256.ShiftRightLogical(lanes, 16) & mask) * numbers[2];
        return sums + Vector256.ShiftRightLogical(lanes, 24) * numbers[3];
    }
}
