using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Torch;
using static TorchSharp.torch;

namespace CoPe.Kernels.Fused;

/// <summary>Rotary positions of a decoding step, one position a row, in one pass.</summary>
static unsafe class DecodeRotary
{
    /// <summary>
    /// Whether the kernel applies to x <c>[rows, 1, heads, headDim]</c>: bf16 on the processor, contiguous, one
    /// position a row, halves of whole registers, and autograd off.
    /// </summary>
    public static bool Supports(Tensor x) =>
        TensorMemory.IsContiguousBf16(x)
        && x.shape is [_, 1, _, var width]
        && width % 16 == 0
        && !(is_grad_enabled() && x.requires_grad);

    /// <summary>
    /// <c>x * cosine + (x with halves swapped) * signedSine</c>, bf16 of the shape of x, owned by the caller; tables
    /// <c>[rows, 1, 1, headDim]</c> bf16. Rounded once.
    /// </summary>
    public static Tensor Apply(Tensor x, Tensor cosine, Tensor signedSine)
    {
        var shape = x.shape;
        var y = empty(shape, dtype: ScalarType.BFloat16);
        ushort* from = (ushort*)TensorMemory.GetPointer(x),
            cos = (ushort*)TensorMemory.GetPointer(cosine),
            sin = (ushort*)TensorMemory.GetPointer(signedSine),
            to = (ushort*)TensorMemory.GetPointer(y);
        var (heads, width) = ((int)shape[2], (int)shape[3]);
        for (var head = 0; head < shape[0] * heads; head++)
        {
            var table = (long)(head / heads) * width;
            Rotate(from + (long)head * width, cos + table, sin + table, to + (long)head * width, width);
        }
        GC.KeepAlive(x);
        return y;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Rotate(ushort* x, ushort* cosine, ushort* signedSine, ushort* y, int width)
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
}
