using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Kernels.Fused;

/// <summary>
/// The low-rank terms of a decoding step, one position a row: each row finds its own adapter's factors in place, so
/// that any mixture of users costs the same. Sums in float32. Torch's products of a few rows with a rank of 8 or 16
/// take twenty times their arithmetic to set up.
/// </summary>
static unsafe class DecodeLora
{
    /// <summary>Numbers that <see cref="Float32Gemv"/> may write past its result.</summary>
    const int InnerPadding = 4;

    /// <summary>
    /// Where the factors A <c>[adapters, r, in]</c> and B <c>[adapters, out, r]</c> of a layer's adapters lie.
    /// </summary>
    public sealed class Factors
    {
        Factors(Tensor a, Tensor b)
        {
            (A, B) = ((nint)TensorMemory.GetPointer(a), (nint)TensorMemory.GetPointer(b));
            (Rank, Inputs, Outputs) = ((int)a.shape[1], (int)a.shape[2], (int)b.shape[1]);
        }

        nint A { get; }

        nint B { get; }

        public int Rank { get; }

        public int Inputs { get; }

        public int Outputs { get; }

        /// <summary>A of an adapter, <c>[r, in]</c>.</summary>
        public float* GetA(int adapter) => (float*)A + (long)adapter * Rank * Inputs;

        /// <summary>B of an adapter, <c>[out, r]</c>.</summary>
        public float* GetB(int adapter) => (float*)B + (long)adapter * Outputs * Rank;

        /// <summary>
        /// Null where the kernel does not apply: the two must be float32, on the processor and contiguous. Valid while
        /// they live.
        /// </summary>
        public static Factors? TryCreate(Tensor a, Tensor b) => IsPlain(a) && IsPlain(b) ? new(a, b) : null;

        static bool IsPlain(Tensor factor) =>
            factor.device_type == DeviceType.CPU && factor.dtype == ScalarType.Float32 && factor.is_contiguous();
    }

    /// <summary>One level of adapters, all of one shape.</summary>
    /// <param name="FactorsOfRow">
    /// The factors that hold a row's adapter, and which of theirs it is; null for none.
    /// </param>
    /// <param name="Shape">Any of the factors.</param>
    /// <param name="Scaling">What their product is multiplied by.</param>
    public readonly record struct Term(
        Func<int, (Factors Factors, int Index)?> FactorsOfRow,
        Factors Shape,
        double Scaling
    );

    /// <summary>
    /// Whether the kernel applies to x <c>[rows, 1, in]</c> and y <c>[rows, 1, out]</c>: bf16 on the processor,
    /// contiguous, one position a row, autograd off.
    /// </summary>
    public static bool Supports(Tensor x, Tensor y) =>
        x.shape[1] == 1 && TensorMemory.IsContiguousBf16(x) && TensorMemory.IsContiguousBf16(y) && !is_grad_enabled();

    /// <summary>
    /// <c>y[row] += sum over terms of scaling * B[i] (A[i] x[row])</c> with i = the row's adapter there;
    /// y <c>[rows, 1, out]</c> is changed in place and rounded once.
    /// </summary>
    public static void AddTo(Tensor y, Tensor x, IReadOnlyList<Term> terms)
    {
        var inputs = terms[0].Shape.Inputs;
        var outputs = terms[0].Shape.Outputs;
        var innerLength = terms.Sum(term => term.Shape.Rank + InnerPadding);
        var to = (ushort*)TensorMemory.GetPointer(y);
        var from = (ushort*)TensorMemory.GetPointer(x);
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            (int)x.shape[0],
            row =>
            {
                var buffer = ArrayPool<float>.Shared.Rent(inputs + innerLength);
                try
                {
                    fixed (float* wide = buffer)
                    {
                        var inner = wide + inputs;
                        Bf16.Widen(from + (long)row * inputs, wide, inputs);
                        MultiplyA(terms, row, wide, inner);
                        MultiplyB(terms, row, inner, outputs, to + (long)row * outputs);
                    }
                }
                finally
                {
                    ArrayPool<float>.Shared.Return(buffer);
                }
            }
        );
        GC.KeepAlive(x);
        GC.KeepAlive(y);
    }

    /// <summary>Of each term of the row <c>scaling * A x</c>, <c>[rank]</c>, one after the other.</summary>
    static void MultiplyA(IReadOnlyList<Term> terms, int row, float* x, float* inner)
    {
        foreach (var term in terms)
        {
            if (term.FactorsOfRow(row) is not var (factors, adapter))
            {
                continue;
            }

            Float32Gemv.Multiply(factors.GetA(adapter), x, factors.Rank, factors.Inputs, inner);
            for (var r = 0; r < factors.Rank; r++)
            {
                inner[r] *= (float)term.Scaling;
            }

            inner += factors.Rank + InnerPadding;
        }
    }

    /// <summary>Adds B times what <see cref="MultiplyA"/> left to a row of outputs, some at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void MultiplyB(IReadOnlyList<Term> terms, int row, float* inner, int outputs, ushort* y)
    {
        const int ChunkSize = 256;
        var sum = stackalloc float[ChunkSize];
        var delta = stackalloc float[ChunkSize + 4];
        for (var first = 0; first < outputs; first += ChunkSize, y += ChunkSize)
        {
            var count = Math.Min(ChunkSize, outputs - first);
            Bf16.Widen(y, sum, count);
            var at = inner;
            foreach (var term in terms)
            {
                if (term.FactorsOfRow(row) is not var (factors, adapter))
                {
                    continue;
                }

                Float32Gemv.Multiply(
                    factors.GetB(adapter) + (long)first * factors.Rank,
                    at,
                    count,
                    factors.Rank,
                    delta
                );
                var i = 0;
                for (; i + 8 <= count; i += 8)
                {
                    (Vector256.Load(sum + i) + Vector256.Load(delta + i)).Store(sum + i);
                }

                for (; i < count; i++)
                {
                    sum[i] += delta[i];
                }

                at += factors.Rank + InnerPadding;
            }

            Bf16.Narrow(sum, y, count);
        }
    }
}

/// <summary>Products of float32 rows with one column: an adapter's factors with a position.</summary>
static unsafe class Float32Gemv
{
    /// <summary><c>y = W x</c> for W <c>[n, k]</c>, x <c>[k]</c>. Writes up to three numbers past y's n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(float* weights, float* x, int n, int k, float* y)
    {
        var whole = k / FloatVector256.Count * FloatVector256.Count;
        for (var first = 0; first < n; first += 4)
        {
            float* Row(int i) => weights + (long)Math.Min(first + i, n - 1) * k; // past the end the last row stands in
            MultiplyRowQuad(Row(0), Row(1), Row(2), Row(3), x, whole).Store(y + first);
            for (var tail = whole; tail < k; tail++)
            {
                for (var i = 0; i < 4; i++)
                {
                    y[first + i] += Row(i)[tail] * x[tail];
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static Vector128<float> MultiplyRowQuad(float* p, float* q, float* r, float* s, float* x, int length)
    {
        FloatVector256 a = default,
            b = default,
            c = default,
            d = default;
        for (var k = 0; k < length; k += FloatVector256.Count)
        {
            var column = FloatVector256.Load(x + k);
            a = FloatVector256.MultiplyAdd(FloatVector256.Load(p + k), column, a);
            b = FloatVector256.MultiplyAdd(FloatVector256.Load(q + k), column, b);
            c = FloatVector256.MultiplyAdd(FloatVector256.Load(r + k), column, c);
            d = FloatVector256.MultiplyAdd(FloatVector256.Load(s + k), column, d);
        }
        return FloatVector256.HorizontalSums(a, b, c, d);
    }
}
