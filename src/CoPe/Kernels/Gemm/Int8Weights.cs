using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using CoPe.Kernels.Threads;
using CoPe.Kernels.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Kernels.Gemm;

/// <summary>
/// A frozen weight matrix <c>[n, k]</c> rounded to int8, one scale per row: lossy, half the bytes of bf16.
/// <c>scale[n] = max_k |W[n, k]| / 127, q[n, k] = round(W[n, k] / scale[n])</c>, so that a weight is off by at most
/// half its row's scale. Packed four rows at a time as <see cref="Int8MicroKernel{T}"/> reads them, both sizes filled
/// up with zeros. Owns its memory.
/// </summary>
sealed unsafe class Int8Weights : IDisposable
{
    /// <summary>The largest magnitude of a rounded weight.</summary>
    public const int MaxLevel = 127;

    const int Block = Int8MicroKernel<Int16Vector256>.Block;

    readonly Tensor _values; // [n / 4, k / 32, 4, 32] int8, n and k rounded up
    readonly Tensor _scales; // [n] float32, n rounded up
    readonly int _k;

    Int8Weights(int n, int k)
    {
        _k = k;
        var groups = (n + 3) / 4;
        _values = zeros([groups, GetPackedLength(k) / Block, 4, Block], dtype: ScalarType.Int8)
            .DetachFromDisposeScope();
        _scales = zeros([4 * groups], dtype: ScalarType.Float32).DetachFromDisposeScope();
        (Rows, Inputs) = (n, k);
    }

    /// <summary>n.</summary>
    public int Rows { get; }

    /// <summary>k.</summary>
    public int Inputs { get; }

    /// <summary>Bytes in memory.</summary>
    public long ByteCount => CountBytes(Rows, Inputs);

    /// <summary>Bytes of a matrix of so many rows and inputs.</summary>
    public static long CountBytes(int n, int k) => (n + 3L) / 4 * 4 * (GetPackedLength(k) + sizeof(float));

    /// <summary>The packed rows, valid while this object is.</summary>
    public sbyte* Values => (sbyte*)TensorMemory.GetPointer(_values);

    /// <summary>The rows' scales, valid while this object is.</summary>
    public float* Scales => (float*)TensorMemory.GetPointer(_scales);

    /// <summary>Numbers of a packed row of so many.</summary>
    public static int GetPackedLength(int k) => (k + Block - 1) / Block * Block;

    /// <summary>Rounds bf16 weights <c>[n, k]</c> on the processor; the caller owns the result.</summary>
    /// <param name="weights">The weights; still the caller's.</param>
    /// <param name="name">What messages call them.</param>
    /// <exception cref="ArgumentException">The weights lie elsewhere, are of another type, or not finite.</exception>
    public static Int8Weights Quantize(Tensor weights, string name)
    {
        CheckSupported(weights, name);
        var quantized = new Int8Weights((int)weights.shape[0], (int)weights.shape[1]);
        try
        {
            if (quantized.TryQuantizeRows((ushort*)TensorMemory.GetPointer(weights)))
            {
                GC.KeepAlive(weights);
                return quantized;
            }

            throw new ArgumentException(
                $"{name} holds a weight that is not finite, which int8 cannot hold: check the model's files.",
                nameof(weights)
            );
        }
        catch
        {
            quantized.Dispose();
            throw;
        }
    }

    static void CheckSupported(Tensor weights, string name)
    {
        if (weights.device_type != DeviceType.CPU)
        {
            throw new ArgumentException(
                $"{name} lies on {weights.device}: int8 weights are for the processor (cpu) only; "
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

    /// <summary>False where a weight is not finite.</summary>
    bool TryQuantizeRows(ushort* weights)
    {
        const int RowsPerChunk = 16;
        var isFinite = true;
        WorkerTeam.Run(
            TorchThreads.KernelThreadCount,
            (Rows + RowsPerChunk - 1) / RowsPerChunk,
            chunk =>
            {
                var end = Math.Min(Rows, (chunk + 1) * RowsPerChunk);
                for (var row = chunk * RowsPerChunk; row < end; row++)
                {
                    if (!TryQuantizeRow(weights + (long)row * _k, row))
                    {
                        Volatile.Write(ref isFinite, false);
                    }
                }
            }
        );
        return isFinite;
    }

    /// <summary>False where a weight is not finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    bool TryQuantizeRow(ushort* row, int n)
    {
        var most = Int16Activations.FindMaxMagnitude(row, _k);
        if (!float.IsFinite(most))
        {
            return false;
        }

        var scale = most / MaxLevel;
        var inverse = 1 / scale;
        if (!float.IsFinite(inverse))
        {
            return true; // zeros, or as good as: they stay zeros
        }

        Scales[n] = scale;
        var to = Values + (n / 4 * (long)GetPackedLength(_k) * 4) + n % 4 * Block;
        for (var first = 0; first < _k; first += Block, to += 4 * Block)
        {
            QuantizeBlock(row + first, to, Math.Min(Block, _k - first), inverse);
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void QuantizeBlock(ushort* from, sbyte* to, int count, float inverse)
    {
        var i = 0;
        for (; i + 8 <= count; i += 8)
        {
            var rounded = Vector256.ConvertToInt32Native(Vector256.Round(Bf16.Widen(from + i) * inverse));
            var words = Vector128.Narrow(rounded.GetLower(), rounded.GetUpper());
            Vector128.Narrow(words, words).GetLower().Store(to + i);
        }

        for (; i < count; i++)
        {
            to[i] = (sbyte)MathF.Round(Bf16.ToSingle(from[i]) * inverse);
        }
    }

    public void Dispose()
    {
        _values.Dispose();
        _scales.Dispose();
    }
}
