using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CoPe.Kernels;

/// <summary>Attention of the queries that share one key head, at one position, over that head's cached columns, which lie behind each other in bf16. Scores and sums in float32.</summary>
/// <typeparam name="T">Registers; a head's width is a multiple of twice their numbers.</typeparam>
static unsafe class CacheHead<T> where T : struct, ILanes<T>
{
    /// <summary>Queries that a walk over the values takes at once.</summary>
    const int Together = 4;

    /// <summary>How far ahead keys are fetched, in columns.</summary>
    const long KeysAhead = 32;

    /// <summary><c>y[g] = softmax(q[g] . keys / sqrt(width)) values</c> for queries <c>[group, width]</c> and columns <c>[columns, width]</c>; y <c>[group, width]</c> bf16.</summary>
    public static void Attend(ushort* queries, ushort* keys, ushort* values, ushort* y, int group, int width, int columns)
    {
        var padded = (group + Together - 1) / Together * Together;
        var stride = (columns + 15) / 16 * 16;
        var buffer = ArrayPool<float>.Shared.Rent(padded * (stride + width));
        fixed (float* chances = buffer)
        {
            var parted = chances + padded * stride; // [padded, width]
            for (var g = 0; g < group; g++) FourRows<T>.Part(queries + g * width, parted + g * width, width);
            new Span<float>(parted + group * width, (padded - group) * width).Clear(); // what happens to lie there could be slow to multiply
            Scores(parted, keys, values, chances, group, width, columns, stride);
            for (var g = 0; g < group; g++) Softmax(chances + g * stride, columns, stride, 1 / MathF.Sqrt(width));
            new Span<float>(chances + group * stride, (padded - group) * stride).Clear();
            for (var g = 0; g < group; g += Together)
                for (var at = 0; at < width; at += FourRows<T>.Block) Mix(chances + g * stride, stride, values + at, width, columns, y + g * width + at, Math.Min(Together, group - g));
        }
        ArrayPool<float>.Shared.Return(buffer);
    }

    /// <summary>The values of these columns are fetched meanwhile: the walk over them that follows has too little arithmetic to wait for memory beside it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Scores(float* parted, ushort* keys, ushort* values, float* scores, int group, int width, int columns, int stride)
    {
        var sums = stackalloc float[4 * FourRows<T>.MostColumns];
        for (var c = 0; c < columns; c += 4)
        {
            Fetch(values + (long)c * width, 4 * width);
            ushort* Key(int i) => keys + (long)Math.Min(c + i, columns - 1) * width;
            var rows = new FourRows<T>.Rows(Key(0), Key(1), Key(2), Key(3), width, keys + (c + KeysAhead) * width);
            for (var g = 0; g < group;)
            {
                var wanted = Math.Min(FourRows<T>.MostColumns, group - g);
                FourRows<T>.Multiply(rows, wanted == 3 ? 4 : wanted, parted + g * width, width, sums); // the fourth is zeros, and not wanted
                for (var q = 0; q < wanted; q++, g++) Vector128.Store(Vector128.Load(sums + 4 * q), scores + g * stride + c);
            }
        }
    }

    static void Fetch(ushort* from, int numbers)
    {
        if (!Sse.IsSupported) return;
        for (var i = 0; i < numbers; i += 32) Sse.Prefetch1(from + i);
    }

    /// <summary>In place; what lies past the columns, up to the stride, becomes zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Softmax(float* scores, int columns, int stride, float scale)
    {
        for (var c = columns; c < stride; c++) scores[c] = float.NegativeInfinity;
        var best = T.Load(scores);
        for (var c = T.Count; c < stride; c += T.Count) best = T.Max(best, T.Load(scores + c));
        var largest = T.Largest(best);
        var total = T.Broadcast(0);
        for (var c = 0; c < stride; c += T.Count)
        {
            var chance = Exponential<T>.Of(T.MultiplyAdd(T.Load(scores + c), T.Broadcast(scale), T.Broadcast(-largest * scale)));
            total = T.MultiplyAdd(chance, T.Broadcast(1), total);
            T.Store(chance, scores + c);
        }
        var share = T.Broadcast(1 / T.Sums(total, total, total, total).ToScalar());
        for (var c = 0; c < stride; c += T.Count) T.Store(T.MultiplyAdd(T.Load(scores + c), share, T.Broadcast(0)), scores + c);
    }

    /// <summary>One block of the width of four queries' mixtures, of which the first few are wanted. Nothing is called while the sums are in registers: they would be saved and loaded for every column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Mix(float* chances, int stride, ushort* values, int width, int columns, ushort* y, int wanted)
    {
        T e0 = default, o0 = default, e1 = default, o1 = default, e2 = default, o2 = default, e3 = default, o3 = default;
        float* p0 = chances, p1 = p0 + stride, p2 = p1 + stride, p3 = p2 + stride;
        for (var c = 0L; c < columns; c++, values += width)
        {
            var pairs = T.LoadPairs(values);
            T even = T.Even(pairs), odd = T.Odd(pairs), chance = T.Broadcast(p0[c]);
            (e0, o0, chance) = (T.MultiplyAdd(even, chance, e0), T.MultiplyAdd(odd, chance, o0), T.Broadcast(p1[c]));
            (e1, o1, chance) = (T.MultiplyAdd(even, chance, e1), T.MultiplyAdd(odd, chance, o1), T.Broadcast(p2[c]));
            (e2, o2, chance) = (T.MultiplyAdd(even, chance, e2), T.MultiplyAdd(odd, chance, o2), T.Broadcast(p3[c]));
            (e3, o3) = (T.MultiplyAdd(even, chance, e3), T.MultiplyAdd(odd, chance, o3));
        }
        var sums = stackalloc float[Together * FourRows<T>.Block]; // of each query the even numbers, then the odd
        T.Store(e0, sums);
        T.Store(o0, sums + T.Count);
        T.Store(e1, sums + 2 * T.Count);
        T.Store(o1, sums + 3 * T.Count);
        T.Store(e2, sums + 4 * T.Count);
        T.Store(o2, sums + 5 * T.Count);
        T.Store(e3, sums + 6 * T.Count);
        T.Store(o3, sums + 7 * T.Count);
        for (var g = 0; g < wanted; g++, sums += FourRows<T>.Block)
            for (var i = 0; i < T.Count; i += 8) Bf16.StorePairs(Vector256.Load(sums + i), Vector256.Load(sums + T.Count + i), y + g * width + 2 * i);
    }
}
