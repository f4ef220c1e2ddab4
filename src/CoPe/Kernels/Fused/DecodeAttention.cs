using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using CoPe.Kernels.Gemm;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Kernels.Fused;

/// <summary>
/// Attention of a decoding step: one position a row, which sees its own columns of the cache. A row reads no more
/// columns than it has, however long the others are.
/// </summary>
/// <param name="positions">Position of each row, which is also its last column.</param>
/// <param name="window">Columns that a row sees at most; null for all.</param>
/// <param name="softCap">Scores become <c>cap * tanh(scores / cap)</c>; null: they stay.</param>
sealed unsafe class DecodeAttention(long[] positions, int? window, double? softCap = null)
{
    /// <summary>
    /// Whether the kernel applies to a pass: one position a row, bf16 on the processor, heads of whole registers,
    /// autograd off.
    /// </summary>
    public static bool Supports(Tensor ids, ScalarType dtype, int headDim) =>
        ids.shape[1] == 1
        && dtype == ScalarType.BFloat16
        && ids.device_type == DeviceType.CPU
        && headDim % Bf16MicroKernel<FloatVector256>.Block == 0
        && !is_grad_enabled();

    /// <summary>
    /// Writes the position's key k and value v <c>[rows, 1, kvHeads, headDim]</c> into its column, then computes
    /// <c>softmax(q keys^T / sqrt(headDim)) values</c> for q <c>[rows, 1, heads, headDim]</c> and views of the cache
    /// <c>[rows, columns, kvHeads, headDim]</c> in which a head's columns lie one after the other. The result
    /// <c>[rows, 1, heads, headDim]</c> bf16 belongs to the caller.
    /// </summary>
    /// <exception cref="ArgumentException">A tensor is laid out otherwise.</exception>
    public Tensor Attend(Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values)
    {
        var shape = q.shape;
        var (heads, keyHeads, width) = ((int)shape[2], (int)keys.shape[2], (int)shape[3]);
        var strides = keys.stride();
        if (!q.is_contiguous() || !k.is_contiguous() || !v.is_contiguous() || strides[1] != width || strides[3] != 1)
        {
            throw new ArgumentException(
                "Queries, keys and values must be contiguous, and a head's cached columns must follow each other.",
                nameof(q)
            );
        }

        var y = empty(shape, dtype: ScalarType.BFloat16);
        var (rowStride, headStride, group) = (strides[0], strides[2], heads / keyHeads);
        var query = (ushort*)TensorMemory.GetPointer(q);
        var newKey = (ushort*)TensorMemory.GetPointer(k);
        var newValue = (ushort*)TensorMemory.GetPointer(v);
        var allKeys = (ushort*)TensorMemory.GetPointer(keys);
        var allValues = (ushort*)TensorMemory.GetPointer(values);
        var to = (ushort*)TensorMemory.GetPointer(y);
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            positions.Length * keyHeads,
            rowAndHead =>
            {
                var (row, head) = Math.DivRem(rowAndHead, keyHeads);
                var columns = (int)Math.Min(positions[row] + 1, window ?? long.MaxValue);
                var end = row * rowStride + head * headStride + (positions[row] + 1) * width;
                Copy(newKey + (long)rowAndHead * width, allKeys + end - width, width);
                Copy(newValue + (long)rowAndHead * width, allValues + end - width, width);
                var (start, at) = (end - (long)columns * width, ((long)row * heads + head * group) * width);
                if (Vector512.IsHardwareAccelerated && width % Bf16MicroKernel<FloatVector512>.Block == 0)
                {
                    DecodeAttentionHead<FloatVector512>.Attend(
                        query + at,
                        allKeys + start,
                        allValues + start,
                        to + at,
                        group,
                        width,
                        columns,
                        (float)(softCap ?? 0)
                    );
                }
                else
                {
                    DecodeAttentionHead<FloatVector256>.Attend(
                        query + at,
                        allKeys + start,
                        allValues + start,
                        to + at,
                        group,
                        width,
                        columns,
                        (float)(softCap ?? 0)
                    );
                }
            }
        );
        GC.KeepAlive(q);
        GC.KeepAlive(k);
        GC.KeepAlive(v);
        GC.KeepAlive(keys);
        GC.KeepAlive(values);
        return y;
    }

    static void Copy(ushort* from, ushort* to, int width) =>
        new ReadOnlySpan<ushort>(from, width).CopyTo(new(to, width));
}

/// <summary>
/// Attention of the queries that share one key head, at one position, over that head's cached columns, which lie one
/// after the other in bf16. Scores and sums in float32.
/// </summary>
/// <typeparam name="T">Registers; a head's width is a multiple of twice their numbers.</typeparam>
static unsafe class DecodeAttentionHead<T>
    where T : struct, IFloatVector<T>
{
    /// <summary>Queries that a pass over the values takes at once.</summary>
    const int QueriesPerBlock = 4;

    /// <summary>How far ahead keys are prefetched, in columns.</summary>
    const long PrefetchDistance = 32;

    /// <summary>
    /// <c>y[g] = softmax(q[g] . keys / sqrt(width)) values</c> for queries <c>[group, width]</c> and columns
    /// <c>[columns, width]</c>; y <c>[group, width]</c> bf16. A soft cap of 0 leaves the scores as they are.
    /// </summary>
    public static void Attend(
        ushort* queries,
        ushort* keys,
        ushort* values,
        ushort* y,
        int group,
        int width,
        int columns,
        float softCap
    )
    {
        var padded = (group + QueriesPerBlock - 1) / QueriesPerBlock * QueriesPerBlock;
        var stride = (columns + 15) / 16 * 16;
        var buffer = ArrayPool<float>.Shared.Rent(padded * (stride + width));
        try
        {
            fixed (float* probabilities = buffer)
            {
                var deinterleaved = probabilities + padded * stride; // [padded, width]
                for (var g = 0; g < group; g++)
                {
                    Bf16MicroKernel<T>.Deinterleave(queries + g * width, deinterleaved + g * width, width);
                }

                // Denormal numbers that happen to be in the buffer would be slow to multiply.
                new Span<float>(deinterleaved + group * width, (padded - group) * width).Clear();
                ComputeScores(deinterleaved, keys, values, probabilities, group, width, columns, stride);
                for (var g = 0; g < group; g++)
                {
                    var scale = 1 / MathF.Sqrt(width);
                    if (softCap > 0)
                    {
                        Cap(probabilities + g * stride, columns, scale, softCap);
                        scale = 1;
                    }

                    Softmax(probabilities + g * stride, columns, stride, scale);
                }

                new Span<float>(probabilities + group * stride, (padded - group) * stride).Clear();
                for (var g = 0; g < group; g += QueriesPerBlock)
                {
                    for (var at = 0; at < width; at += Bf16MicroKernel<T>.Block)
                    {
                        MixValues(
                            probabilities + g * stride,
                            stride,
                            values + at,
                            width,
                            columns,
                            y + g * width + at,
                            Math.Min(QueriesPerBlock, group - g)
                        );
                    }
                }
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// The values of these columns are prefetched meanwhile: the pass over them that follows has too little arithmetic
    /// to hide the wait for memory.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void ComputeScores(
        float* deinterleaved,
        ushort* keys,
        ushort* values,
        float* scores,
        int group,
        int width,
        int columns,
        int stride
    )
    {
        var sums = stackalloc float[4 * Bf16MicroKernel<T>.MaxColumns];
        for (var c = 0; c < columns; c += 4)
        {
            Prefetch(values + (long)c * width, 4 * width);
            ushort* Key(int i) => keys + (long)Math.Min(c + i, columns - 1) * width;
            var rows = new Bf16MicroKernel<T>.RowBlock(
                Key(0),
                Key(1),
                Key(2),
                Key(3),
                width,
                keys + (c + PrefetchDistance) * width
            );
            for (var g = 0; g < group;)
            {
                var count = Math.Min(Bf16MicroKernel<T>.MaxColumns, group - g);
                // The fourth column is zeros, and its sums are dropped.
                Bf16MicroKernel<T>.Multiply(rows, count == 3 ? 4 : count, deinterleaved + g * width, width, sums);
                for (var q = 0; q < count; q++, g++)
                {
                    Vector128.Store(Vector128.Load(sums + 4 * q), scores + g * stride + c);
                }
            }
        }
    }

    static void Prefetch(ushort* from, int numbers)
    {
        if (!Sse.IsSupported)
        {
            return;
        }

        for (var i = 0; i < numbers; i += 32)
        {
            Sse.Prefetch1(from + i);
        }
    }

    /// <summary><c>cap * tanh(scale * score / cap)</c>, in place.</summary>
    static void Cap(float* scores, int columns, float scale, float cap)
    {
        for (var c = 0; c < columns; c++)
        {
            scores[c] = cap * MathF.Tanh(scores[c] * scale / cap);
        }
    }

    /// <summary>In place; what lies past the columns, up to the stride, becomes zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Softmax(float* scores, int columns, int stride, float scale)
    {
        for (var c = columns; c < stride; c++)
        {
            scores[c] = float.NegativeInfinity;
        }

        var best = T.Load(scores);
        for (var c = T.Count; c < stride; c += T.Count)
        {
            best = T.Max(best, T.Load(scores + c));
        }

        var largest = T.HorizontalMax(best);
        var total = T.Broadcast(0);
        for (var c = 0; c < stride; c += T.Count)
        {
            var probability = FastExp<T>.Compute(
                T.MultiplyAdd(T.Load(scores + c), T.Broadcast(scale), T.Broadcast(-largest * scale))
            );
            total = T.MultiplyAdd(probability, T.Broadcast(1), total);
            T.Store(probability, scores + c);
        }
        var share = T.Broadcast(1 / T.HorizontalSums(total, total, total, total).ToScalar());
        for (var c = 0; c < stride; c += T.Count)
        {
            T.Store(T.MultiplyAdd(T.Load(scores + c), share, T.Broadcast(0)), scores + c);
        }
    }

    /// <summary>
    /// One block of the width of four queries' mixtures, of which the first few are stored. Nothing is called while the
    /// sums are in registers: they would be saved and loaded for every column.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MixValues(
        float* probabilities,
        int stride,
        ushort* values,
        int width,
        int columns,
        ushort* y,
        int count
    )
    {
        T e0 = default,
            o0 = default,
            e1 = default,
            o1 = default,
            e2 = default,
            o2 = default,
            e3 = default,
            o3 = default;
        float* p0 = probabilities,
            p1 = p0 + stride,
            p2 = p1 + stride,
            p3 = p2 + stride;
        for (var c = 0L; c < columns; c++, values += width)
        {
            var pairs = T.LoadPairs(values);
            T even = T.Even(pairs),
                odd = T.Odd(pairs),
                probability = T.Broadcast(p0[c]);
            (e0, o0, probability) = (
                T.MultiplyAdd(even, probability, e0),
                T.MultiplyAdd(odd, probability, o0),
                T.Broadcast(p1[c])
            );
            (e1, o1, probability) = (
                T.MultiplyAdd(even, probability, e1),
                T.MultiplyAdd(odd, probability, o1),
                T.Broadcast(p2[c])
            );
            (e2, o2, probability) = (
                T.MultiplyAdd(even, probability, e2),
                T.MultiplyAdd(odd, probability, o2),
                T.Broadcast(p3[c])
            );
            (e3, o3) = (T.MultiplyAdd(even, probability, e3), T.MultiplyAdd(odd, probability, o3));
        }
        // Of each query the even numbers, then the odd.
        var sums = stackalloc float[QueriesPerBlock * Bf16MicroKernel<T>.Block];
        T.Store(e0, sums);
        T.Store(o0, sums + T.Count);
        T.Store(e1, sums + 2 * T.Count);
        T.Store(o1, sums + 3 * T.Count);
        T.Store(e2, sums + 4 * T.Count);
        T.Store(o2, sums + 5 * T.Count);
        T.Store(e3, sums + 6 * T.Count);
        T.Store(o3, sums + 7 * T.Count);
        for (var g = 0; g < count; g++, sums += Bf16MicroKernel<T>.Block)
        {
            for (var i = 0; i < T.Count; i += 8)
            {
                Bf16.StorePairs(Vector256.Load(sums + i), Vector256.Load(sums + T.Count + i), y + g * width + 2 * i);
            }
        }
    }
}
