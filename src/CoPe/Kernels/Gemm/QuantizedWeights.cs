using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using TorchSharp;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// A frozen weight matrix W <c>[n, k]</c> rounded to few bits and packed for a kernel: lossy. Owns its memory.
/// </summary>
abstract unsafe class QuantizedWeights(int rows, int inputs) : IDisposable
{
    /// <summary>n.</summary>
    public int Rows { get; } = rows;

    /// <summary>k.</summary>
    public int Inputs { get; } = inputs;

    /// <summary>What people call the type: int8, q4.</summary>
    public abstract string TypeName { get; }

    /// <summary>Bytes in memory.</summary>
    public abstract long ByteCount { get; }

    /// <summary>Where the packed numbers lie, valid while this object is, and their bytes.</summary>
    public abstract (nint Start, long Bytes) Packed { get; }

    /// <summary>
    /// <c>Y = X W^T + b</c> for X <c>[m, k]</c> and Y <c>[m, n]</c>, bf16, and b <c>[n]</c> or null. A row of Y has the
    /// same bits in any batch and with any number of threads.
    /// </summary>
    public abstract void Multiply(ushort* x, int m, float* bias, ushort* y, int threads);

    /// <summary>
    /// The dequantized weights in float32: rows <paramref name="first"/> to <c>first + count - 1</c> of W,
    /// <c>[count, k]</c>.
    /// </summary>
    /// <param name="first">The first row; a multiple of <see cref="RowMultiple"/>.</param>
    /// <param name="count">How many.</param>
    /// <param name="to">Where they go.</param>
    public abstract void Dequantize(int first, int count, float* to);

    /// <summary>Rows that are packed together.</summary>
    public abstract int RowMultiple { get; }

    public abstract void Dispose();

    /// <summary>Checks what is to be rounded.</summary>
    /// <exception cref="ArgumentException">The weights lie elsewhere, or are of another type.</exception>
    protected static void CheckSupported(Tensor weights, string name, string typeName)
    {
        if (weights.device_type != DeviceType.CPU)
        {
            throw new ArgumentException(
                $"{name} lies on {weights.device}: {typeName} weights are for the processor (cpu) only; "
                    + "load the model in bf16.",
                nameof(weights)
            );
        }

        if (!TensorMemory.IsContiguousBf16(weights) || weights.dim() != 2)
        {
            throw new ArgumentException(
                $"{name} is {weights.dtype} [{string.Join(", ", weights.shape)}]; "
                    + "expected a contiguous BFloat16 matrix.",
                nameof(weights)
            );
        }
    }

    /// <summary>Runs the body for groups of rows, on several threads. False where one of them returned false.</summary>
    protected static bool TryEach(int count, int perChunk, Func<int, bool> body)
    {
        var succeeded = true;
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            (count + perChunk - 1) / perChunk,
            chunk =>
            {
                var end = Math.Min(count, (chunk + 1) * perChunk);
                for (var i = chunk * perChunk; i < end; i++)
                {
                    if (!body(i))
                    {
                        Volatile.Write(ref succeeded, false);
                    }
                }
            }
        );
        return succeeded;
    }

    /// <summary>What is thrown where a weight is not finite.</summary>
    protected static ArgumentException NotFinite(string name, string typeName) =>
        new($"{name} holds a weight that is not finite, which {typeName} cannot hold: check the model's files.");
}
