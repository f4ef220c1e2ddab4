using System.Buffers;
using System.Runtime.Intrinsics;

namespace CoPe.Kernels;

/// <summary>Attention of the queries that share one key head, at one position, over that head's cached columns, which lie behind each other in bf16. Scores and sums in float32.</summary>
/// <typeparam name="T">Registers; a head's width is a multiple of twice their numbers.</typeparam>
static unsafe class CacheHead<T> where T : struct, ILanes<T>
{
    /// <summary>Queries that a walk over the values takes at once.</summary>
    const int Together = 4;

    /// <summary><c>y[g] = softmax(q[g] . keys / sqrt(width)) values</c> for queries <c>[group, width]</c> and columns <c>[columns, width]</c>; y <c>[group, width]</c> bf16.</summary>
    public static void Attend(ushort* queries, ushort* keys, ushort* values, ushort* y, int group, int width, int columns)
    {
        var padded = (group + Together - 1) / Together * Together;
        var stride = (columns + 15) / 16 * 16;
        var buffer = ArrayPool<float>.Shared.Rent(padded * (stride + width));
        fixed (float* chances = buffer)
        {
            var parted = chances + padded * stride; // [group, width], then the mixture of four queries
            for (var g = 0; g < group; g++) FourRows<T>.Part(queries + g * width, parted + g * width, width);
            Scores(parted, keys, chances, group, width, columns, stride);
            for (var g = 0; g < group; g++) Softmax(chances + g * stride, columns, stride, 1 / MathF.Sqrt(width));
            new Span<float>(chances + group * stride, (padded - group) * stride).Clear();
            for (var g = 0; g < group; g += Together)
                for (var at = 0; at < width; at += FourRows<T>.Block) Mix(chances + g * stride, stride, values + at, width, columns, y + g * width + at, Math.Min(Together, group - g));
        }
        ArrayPool<float>.Shared.Return(buffer);
    }

    static void Scores(float* parted, ushort* keys, float* scores, int group, int width, int columns, int stride)
    {
        var sums = stackalloc float[4 * T.Columns];
        for (var c = 0; c < columns; c += 4)
        {
            ushort* Key(int i) => keys + (long)Math.Min(c + i, columns - 1) * width;
            var rows = new FourRows<T>.Rows(Key(0), Key(1), Key(2), Key(3), width, keys + (c + 4L) * width);
            for (var g = 0; g < group;)
            {
                var count = T.Columns;
                while (count > group - g) count /= 2;
                FourRows<T>.Multiply(rows, count, parted + g * width, width, sums);
                for (var q = 0; q < count; q++, g++) Vector128.Store(Vector128.Load(sums + 4 * q), scores + g * stride + c);
            }
        }
    }

    /// <summary>In place; what lies past the columns, up to the stride, becomes zero.</summary>
    static void Softmax(float* scores, int columns, int stride, float scale)
    {
        for (var c = columns; c < stride; c++) scores[c] = float.NegativeInfinity;
        var best = T.Load(scores);
        for (var c = T.Count; c < stride; c += T.Count) best = T.Max(best, T.Load(scores + c));
        var largest = T.Largest(best);
        var total = T.Broadcast(0);
        for (var c = 0; c < stride; c += T.Count)
        {
            var chance = T.Exp(T.MultiplyAdd(T.Load(scores + c), T.Broadcast(scale), T.Broadcast(-largest * scale)));
            total = T.MultiplyAdd(chance, T.Broadcast(1), total);
            T.Store(chance, scores + c);
        }
        var share = T.Broadcast(1 / T.Sums(total, total, total, total).ToScalar());
        for (var c = 0; c < stride; c += T.Count) T.Store(T.MultiplyAdd(T.Load(scores + c), share, T.Broadcast(0)), scores + c);
    }

    /// <summary>One block of the width of four queries' mixtures, of which the first few are wanted.</summary>
    static void Mix(float* chances, int stride, ushort* values, int width, int columns, ushort* y, int wanted)
    {
        T e0 = default, o0 = default, e1 = default, o1 = default, e2 = default, o2 = default, e3 = default, o3 = default;
        for (var c = 0; c < columns; c++)
        {
            var pairs = T.LoadPairs(values + (long)c * width);
            T even = T.Even(pairs), odd = T.Odd(pairs), chance = T.Broadcast(chances[c]);
            (e0, o0, chance) = (T.MultiplyAdd(even, chance, e0), T.MultiplyAdd(odd, chance, o0), T.Broadcast(chances[stride + c]));
            (e1, o1, chance) = (T.MultiplyAdd(even, chance, e1), T.MultiplyAdd(odd, chance, o1), T.Broadcast(chances[2 * stride + c]));
            (e2, o2, chance) = (T.MultiplyAdd(even, chance, e2), T.MultiplyAdd(odd, chance, o2), T.Broadcast(chances[3 * stride + c]));
            (e3, o3) = (T.MultiplyAdd(even, chance, e3), T.MultiplyAdd(odd, chance, o3));
        }
        Write(e0, o0, y);
        if (wanted > 1) Write(e1, o1, y + width);
        if (wanted > 2) Write(e2, o2, y + 2 * width);
        if (wanted > 3) Write(e3, o3, y + 3 * width);
    }

    static void Write(T even, T odd, ushort* y)
    {
        var numbers = stackalloc float[FourRows<T>.Block];
        T.Store(even, numbers);
        T.Store(odd, numbers + T.Count);
        for (var i = 0; i < T.Count; i++) (y[2 * i], y[2 * i + 1]) = (Bf16.FromSingle(numbers[i]), Bf16.FromSingle(numbers[T.Count + i]));
    }
}
