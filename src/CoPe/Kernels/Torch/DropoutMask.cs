using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace CoPe.Kernels.Torch;

/// <summary>
/// Masks of inverted dropout by counting instead of by a stream: each element hashes its row's seed, its position and
/// its column (<see cref="DropoutHash"/>), so a mask needs no state, and neither other rows nor padding change it.
/// </summary>
static unsafe class DropoutMask
{
    /// <summary><c>[rows, seq, width]</c>: 0 with probability p, else 1 / (1 - p). The caller owns it.</summary>
    /// <param name="rowSeeds">One a row.</param>
    /// <param name="seq">Positions.</param>
    /// <param name="width">Columns.</param>
    /// <param name="probability">p, at least 0 and below 1.</param>
    /// <param name="like">A tensor whose type and place the mask takes: float32, float16 or bf16.</param>
    public static Tensor Create(ReadOnlySpan<ulong> rowSeeds, int seq, int width, double probability, Tensor like)
    {
        var kept = KeptBits(1 / (1 - probability), like.dtype);
        var mask = empty([rowSeeds.Length, seq, width], dtype: like.dtype);
        var wide = like.dtype == ScalarType.Float32;
        var threshold = (uint)(probability * 4294967296.0);
        var data = TensorMemory.GetPointer(mask);
        for (var row = 0; row < rowSeeds.Length; row++)
        {
            for (var position = 0; position < seq; position++)
            {
                var key = SplitMix64.Mix(rowSeeds[row] + (ulong)position * SplitMix64.Increment);
                var offset = ((long)row * seq + position) * width;
                if (wide)
                {
                    Fill((uint*)data + offset, width, key, threshold, kept);
                }
                else
                {
                    Fill((ushort*)data + offset, width, key, threshold, (ushort)kept);
                }
            }
        }
        GC.KeepAlive(mask);
        return like.device_type == TorchSharp.DeviceType.CPU ? mask : Move(mask, like.device);
    }

    /// <summary>The seed with which a mask begins some positions later.</summary>
    public static ulong Skip(ulong rowSeed, int positions) =>
        unchecked(rowSeed + (ulong)positions * SplitMix64.Increment);

    static Tensor Move(Tensor mask, Device device)
    {
        using (mask)
        {
            return mask.to(device);
        }
    }

    static uint KeptBits(double value, ScalarType dtype) =>
        dtype switch
        {
            ScalarType.Float32 => BitConverter.SingleToUInt32Bits((float)value),
            ScalarType.BFloat16 => Bf16.FromSingle((float)value),
            ScalarType.Float16 => BitConverter.HalfToUInt16Bits((Half)value),
            _ => throw new ArgumentOutOfRangeException(
                nameof(dtype),
                $"Dropout of {dtype} inputs; expected float32, float16 or bf16."
            ),
        };

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Fill(uint* to, int width, ulong key, uint threshold, uint kept)
    {
        var column = 0;
        for (; column + 16 <= width; column += 16)
        {
            (Keep(key, column, threshold) & Vector512.Create(kept)).Store(to + column);
        }

        for (; column < width; column++)
        {
            to[column] = DropoutHash.Hash(key, (uint)column) >= threshold ? kept : 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Fill(ushort* to, int width, ulong key, uint threshold, ushort kept)
    {
        var column = 0;
        for (; column + 32 <= width; column += 32)
        {
            (
                Vector512.Narrow(Keep(key, column, threshold), Keep(key, column + 16, threshold))
                & Vector512.Create(kept)
            ).Store(to + column);
        }

        for (; column < width; column++)
        {
            to[column] = DropoutHash.Hash(key, (uint)column) >= threshold ? kept : (ushort)0;
        }
    }

    /// <summary>All ones where one of 16 columns is kept.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<uint> Keep(ulong key, int column, uint threshold) =>
        Vector512.GreaterThanOrEqual(DropoutHash.HashColumns(key, (uint)column), Vector512.Create(threshold));
}
