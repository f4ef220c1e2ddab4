using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace CoPe.Kernels;

/// <summary>
/// A frozen weight matrix <c>[n, k]</c> rounded to int8, a factor per row: lossy, half the bytes of bf16. <c>scale[n] = max_k |W[n, k]| / 127, q[n, k] = round(W[n, k] / scale[n])</c>, so that a weight is off by at
/// most half its row's scale. Packed four rows at a time as <see cref="FourByteRows{T}"/> reads them, both sizes filled up with zeros. Owns its memory.
/// </summary>
sealed unsafe class ByteWeights : IDisposable
{
    /// <summary>The largest magnitude of a rounded weight.</summary>
    public const int Largest = 127;

    const int Block = FourByteRows<Words256>.Block;

    readonly Tensor values; // [n / 4, k / 32, 4, 32] int8, n and k rounded up
    readonly Tensor scales; // [n] float32, n rounded up
    readonly int k;

    ByteWeights(int n, int k)
    {
        this.k = k;
        var groups = (n + 3) / 4;
        values = zeros([groups, PackedLength(k) / Block, 4, Block], dtype: ScalarType.Int8).DetachFromDisposeScope();
        scales = zeros([4 * groups], dtype: ScalarType.Float32).DetachFromDisposeScope();
        (Rows, Inputs) = (n, k);
    }

    /// <summary>n.</summary>
    public int Rows { get; }

    /// <summary>k.</summary>
    public int Inputs { get; }

    /// <summary>Bytes in memory.</summary>
    public long Bytes => BytesOf(Rows, Inputs);

    /// <summary>Bytes of a matrix of so many rows and inputs.</summary>
    public static long BytesOf(int n, int k) => (n + 3L) / 4 * 4 * (PackedLength(k) + sizeof(float));

    /// <summary>The packed rows, valid while this object is.</summary>
    public sbyte* Values => (sbyte*)TensorMemory.Of(values);

    /// <summary>The rows' factors, valid while this object is.</summary>
    public float* Scales => (float*)TensorMemory.Of(scales);

    /// <summary>Numbers of a packed row of so many.</summary>
    public static int PackedLength(int k) => (k + Block - 1) / Block * Block;

    /// <summary>Rounds bf16 weights <c>[n, k]</c> on the processor; the caller's. Throws <see cref="ArgumentException"/> for weights of another kind or that are not finite.</summary>
    public static ByteWeights Round(Tensor weights, string name)
    {
        if (weights.device_type != DeviceType.CPU) throw new ArgumentException($"{name} lies on {weights.device}: int8 weights are for the processor (cpu) only; load the model in bf16.", nameof(weights));
        if (!TensorMemory.IsPlain(weights) || weights.dim() != 2) throw new ArgumentException($"{name} is {weights.dtype} [{string.Join(", ", weights.shape)}]; expected a contiguous BFloat16 matrix.", nameof(weights));
        var rounded = new ByteWeights((int)weights.shape[0], (int)weights.shape[1]);
        ushort* from = (ushort*)TensorMemory.Of(weights);
        var isFinite = true;
        const int RowsPerPiece = 16;
        KernelTeam.Run(TorchThreads.OfKernels, (rounded.Rows + RowsPerPiece - 1) / RowsPerPiece, piece =>
        {
            for (var row = piece * RowsPerPiece; row < Math.Min(rounded.Rows, (piece + 1) * RowsPerPiece); row++)
                if (!rounded.RoundRow(from + (long)row * rounded.k, row)) Volatile.Write(ref isFinite, false);
        });
        GC.KeepAlive(weights);
        if (isFinite) return rounded;
        rounded.Dispose();
        throw new ArgumentException($"{name} holds a weight that is no finite number, which int8 cannot hold: check the model's files.", nameof(weights));
    }

    /// <summary>Rounds a row and says whether it could be.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    bool RoundRow(ushort* row, int n)
    {
        var most = WordColumn.LargestOf(row, k);
        if (!float.IsFinite(most)) return false;
        var scale = most / Largest;
        var inverse = 1 / scale;
        if (!float.IsFinite(inverse)) return true; // zeros, or as good as: they stay zeros
        Scales[n] = scale;
        var to = Values + (n / 4 * (long)PackedLength(k) * 4) + n % 4 * Block;
        for (var first = 0; first < k; first += Block, to += 4 * Block) RoundBlock(row + first, to, Math.Min(Block, k - first), inverse);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void RoundBlock(ushort* from, sbyte* to, int count, float inverse)
    {
        var i = 0;
        for (; i + 8 <= count; i += 8)
        {
            var rounded = Vector256.ConvertToInt32Native(Vector256.Round(Bf16.Widen(from + i) * inverse));
            var words = Vector128.Narrow(rounded.GetLower(), rounded.GetUpper());
            Vector128.Narrow(words, words).GetLower().Store(to + i);
        }
        for (; i < count; i++) to[i] = (sbyte)MathF.Round(Bf16.ToSingle(from[i]) * inverse);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        values.Dispose();
        scales.Dispose();
    }
}
