using System.Buffers;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Kernels;

/// <summary>
/// The low-rank terms of a decoding step, one position a row: each row finds its own adapter's factors in place, so that any mixture of users costs the same. Sums in float32.
/// Torch's products of a few rows with a rank of 8 or 16 take twenty times their arithmetic to set up.
/// </summary>
static unsafe class StepAdapters
{
    /// <summary>Whether x <c>[rows, 1, in]</c> and y <c>[rows, 1, out]</c> are of the kind: bf16 on the processor, contiguous, one position a row, and nothing for autograd to remember.</summary>
    public static bool Applies(Tensor x, Tensor y, Tensor a, Tensor b) =>
        x.shape[1] == 1 && TensorMemory.IsPlain(x) && TensorMemory.IsPlain(y) && a.device_type == DeviceType.CPU
        && a.dtype == ScalarType.Float32 && b.dtype == ScalarType.Float32 && a.is_contiguous() && b.is_contiguous() && !is_grad_enabled();

    /// <summary>
    /// <c>y[row] += scaling * B[i] (A[i] x[row])</c> with i = the row's adapter, for rows with i >= 0: A <c>[adapters, r, in]</c>, B <c>[adapters, out, r]</c> float32;
    /// y <c>[rows, 1, out]</c> is changed in place.
    /// </summary>
    public static void AddTo(Tensor y, Tensor x, Tensor a, Tensor b, Func<int, int> adapterOfRow, double scaling)
    {
        var (inputs, outputs, rank) = ((int)x.shape[2], (int)y.shape[2], (int)a.shape[1]);
        ushort* to = (ushort*)TensorMemory.Of(y), from = (ushort*)TensorMemory.Of(x);
        float* down = (float*)TensorMemory.Of(a), up = (float*)TensorMemory.Of(b);
        KernelTeam.Run(TorchThreads.OfKernels, (int)x.shape[0], row =>
        {
            if (adapterOfRow(row) is not (>= 0 and var adapter)) return;
            var buffer = ArrayPool<float>.Shared.Rent(inputs + rank + 4);
            fixed (float* wide = buffer)
            {
                var inner = wide + inputs; // [rank]
                Bf16.Widen(from + (long)row * inputs, wide, inputs);
                FloatRows.Multiply(down + (long)adapter * rank * inputs, wide, rank, inputs, inner);
                Raise(up + (long)adapter * outputs * rank, inner, rank, outputs, (float)scaling, to + (long)row * outputs);
            }
            ArrayPool<float>.Shared.Return(buffer);
        });
        GC.KeepAlive(x);
        GC.KeepAlive(y);
    }

    static void Raise(float* up, float* inner, int rank, int outputs, float scaling, ushort* y)
    {
        const int Some = 256;
        var delta = stackalloc float[Some + 4];
        for (var first = 0; first < outputs; first += Some)
        {
            var count = Math.Min(Some, outputs - first);
            FloatRows.Multiply(up + (long)first * rank, inner, count, rank, delta);
            var i = 0;
            for (; i + 8 <= count; i += 8) Bf16.Store(Vector256.FusedMultiplyAdd(Vector256.Load(delta + i), Vector256.Create(scaling), Bf16.Widen(y + first + i)), y + first + i);
            for (; i < count; i++) y[first + i] = Bf16.FromSingle(MathF.FusedMultiplyAdd(delta[i], scaling, Bf16.ToSingle(y[first + i])));
        }
    }
}
