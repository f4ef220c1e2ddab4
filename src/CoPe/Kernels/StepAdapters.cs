using System.Buffers;
using System.Runtime.CompilerServices;
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
    /// <summary>Where the factors A <c>[adapters, r, in]</c> and B <c>[adapters, out, r]</c> of a layer's adapters lie.</summary>
    public sealed class Factors
    {
        Factors(Tensor a, Tensor b)
        {
            (Down, Up) = ((nint)TensorMemory.Of(a), (nint)TensorMemory.Of(b));
            (Rank, Inputs, Outputs) = ((int)a.shape[1], (int)a.shape[2], (int)b.shape[1]);
        }

        nint Down { get; }

        nint Up { get; }

        public int Rank { get; }

        public int Inputs { get; }

        public int Outputs { get; }

        /// <summary>A of an adapter, <c>[r, in]</c>.</summary>
        public float* DownOf(int adapter) => (float*)Down + (long)adapter * Rank * Inputs;

        /// <summary>B of an adapter, <c>[out, r]</c>.</summary>
        public float* UpOf(int adapter) => (float*)Up + (long)adapter * Outputs * Rank;

        /// <summary>Null where the two are not of the kind: float32 on the processor, contiguous. Valid while they live.</summary>
        public static Factors? Of(Tensor a, Tensor b) => IsPlain(a) && IsPlain(b) ? new(a, b) : null;

        static bool IsPlain(Tensor factor) => factor.device_type == DeviceType.CPU && factor.dtype == ScalarType.Float32 && factor.is_contiguous();
    }

    /// <summary>What some rows wear: each its adapter of the factors, -1 for none.</summary>
    public readonly record struct Term(Factors Factors, Func<int, int> AdapterOfRow, double Scaling);

    /// <summary>Whether x <c>[rows, 1, in]</c> and y <c>[rows, 1, out]</c> are of the kind: bf16 on the processor, contiguous, one position a row, and nothing for autograd to remember.</summary>
    public static bool Applies(Tensor x, Tensor y) => x.shape[1] == 1 && TensorMemory.IsPlain(x) && TensorMemory.IsPlain(y) && !is_grad_enabled();

    /// <summary><c>y[row] += sum over terms of scaling * B[i] (A[i] x[row])</c> with i = the row's adapter there; y <c>[rows, 1, out]</c> is changed in place and rounded once.</summary>
    public static void AddTo(Tensor y, Tensor x, IReadOnlyList<Term> terms)
    {
        var (inputs, outputs, ranks) = (terms[0].Factors.Inputs, terms[0].Factors.Outputs, terms.Sum(term => term.Factors.Rank + 4));
        ushort* to = (ushort*)TensorMemory.Of(y), from = (ushort*)TensorMemory.Of(x);
        KernelTeam.Run(TorchThreads.OfKernels, (int)x.shape[0], row =>
        {
            var buffer = ArrayPool<float>.Shared.Rent(inputs + ranks);
            fixed (float* wide = buffer)
            {
                Bf16.Widen(from + (long)row * inputs, wide, inputs);
                var inner = wide + inputs; // of each term [rank], scaled
                foreach (var term in terms)
                {
                    if (term.AdapterOfRow(row) is not (>= 0 and var adapter)) continue;
                    var factors = term.Factors;
                    FloatRows.Multiply(factors.DownOf(adapter), wide, factors.Rank, inputs, inner);
                    for (var r = 0; r < factors.Rank; r++) inner[r] *= (float)term.Scaling;
                    inner += factors.Rank + 4;
                }
                Raise(terms, row, wide + inputs, outputs, to + (long)row * outputs);
            }
            ArrayPool<float>.Shared.Return(buffer);
        });
        GC.KeepAlive(x);
        GC.KeepAlive(y);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Raise(IReadOnlyList<Term> terms, int row, float* inner, int outputs, ushort* y)
    {
        const int Some = 256;
        float* sum = stackalloc float[Some], delta = stackalloc float[Some + 4];
        for (var first = 0; first < outputs; first += Some, y += Some)
        {
            var count = Math.Min(Some, outputs - first);
            Bf16.Widen(y, sum, count);
            var at = inner;
            foreach (var term in terms)
            {
                if (term.AdapterOfRow(row) is not (>= 0 and var adapter)) continue;
                var factors = term.Factors;
                FloatRows.Multiply(factors.UpOf(adapter) + (long)first * factors.Rank, at, count, factors.Rank, delta);
                var i = 0;
                for (; i + 8 <= count; i += 8) (Vector256.Load(sum + i) + Vector256.Load(delta + i)).Store(sum + i);
                for (; i < count; i++) sum[i] += delta[i];
                at += factors.Rank + 4;
            }
            Bf16.Narrow(sum, y, count);
        }
    }
}
