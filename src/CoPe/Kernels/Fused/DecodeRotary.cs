using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Kernels.Fused;

/// <summary>Rotary positions of a decoding step, one position a row, in one pass.</summary>
static unsafe class DecodeRotary
{
    /// <summary>
    /// Whether the kernel applies to x <c>[rows, 1, heads, headDim]</c> and tables <c>[rows, 1, 1, width]</c>: bf16 on
    /// the processor, contiguous, one position a row, halves of the width that are whole registers, and autograd off.
    /// </summary>
    public static bool Supports(Tensor x, Tensor table) =>
        TensorMemory.IsContiguousBf16(x)
        && x.shape is [_, 1, _, _]
        && table.shape[^1] % 16 == 0
        && !(is_grad_enabled() && x.requires_grad);

    /// <summary>
    /// <c>x * cosine + (x with the coordinates of each plane swapped) * signedSine</c>, bf16 of the shape of x, owned
    /// by the caller; tables <c>[rows, 1, 1, width]</c> bf16, of the first width coordinates of each head: the others
    /// are copied. Rounded once.
    /// </summary>
    public static Tensor Apply(Tensor x, Tensor cosine, Tensor signedSine, bool isInterleaved)
    {
        var shape = x.shape;
        var y = empty(shape, dtype: ScalarType.BFloat16);
        ushort* from = (ushort*)TensorMemory.GetPointer(x),
            cos = (ushort*)TensorMemory.GetPointer(cosine),
            sin = (ushort*)TensorMemory.GetPointer(signedSine),
            to = (ushort*)TensorMemory.GetPointer(y);
        var (heads, headDim, width) = ((int)shape[2], (int)shape[3], (int)cosine.shape[^1]);
        for (var head = 0; head < shape[0] * heads; head++)
        {
            var (table, at) = ((long)(head / heads) * width, (long)head * headDim);
            if (isInterleaved)
            {
                RotateNeighbors(from + at, cos + table, sin + table, to + at, width);
            }
            else
            {
                RotateHalves(from + at, cos + table, sin + table, to + at, width);
            }

            new ReadOnlySpan<ushort>(from + at + width, headDim - width).CopyTo(new(to + at + width, headDim - width));
        }
        GC.KeepAlive(x);
        return y;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void RotateHalves(ushort* x, ushort* cosine, ushort* signedSine, ushort* y, int width)
    {
        for (var i = 0; i < width; i += 8)
        {
            var other = i < width / 2 ? i + width / 2 : i - width / 2;
            Bf16.Store(
                Vector256.FusedMultiplyAdd(
                    Bf16.Widen(x + i),
                    Bf16.Widen(cosine + i),
                    Bf16.Widen(x + other) * Bf16.Widen(signedSine + i)
                ),
                y + i
            );
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void RotateNeighbors(ushort* x, ushort* cosine, ushort* signedSine, ushort* y, int width)
    {
        for (var i = 0; i < width; i += 8)
        {
            var numbers = Bf16.Widen(x + i);
            var swapped = Vector256.Shuffle(numbers, Vector256.Create(1, 0, 3, 2, 5, 4, 7, 6));
            Bf16.Store(
                Vector256.FusedMultiplyAdd(numbers, Bf16.Widen(cosine + i), swapped * Bf16.Widen(signedSine + i)),
                y + i
            );
        }
    }
}
