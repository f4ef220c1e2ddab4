using System.Runtime.Intrinsics;
using CoPe.Kernels;
using CoPe.Modeling;

namespace CoPe.Benchmarks.Decode;

/// <summary>Reads the weights that a decoding step needs and does nothing with them: no step can be faster.</summary>
sealed unsafe class ReadFloor(CausalLm model)
{
    const long Chunk = 1 << 20;

    readonly (nint Start, long Bytes)[] pieces = [.. model.HasInt8Weights
        ? model.Weights.Rounded.Values.SelectMany(weights => Pieces((long)weights.Values, weights.Bytes - 4 * weights.Rows))
        : model.Weights.Parameters().Where(weight => weight.dim() == 2).SelectMany(weight => Pieces((long)TensorMemory.Of(weight), weight.numel() * 2))];
    long sink;

    static IEnumerable<(nint, long)> Pieces(long start, long bytes)
    {
        for (long at = 0; at < bytes; at += Chunk) yield return ((nint)(start + at), Math.Min(Chunk, bytes - at));
    }

    /// <summary>One read with so many threads; an embedding that is not also the head is read nevertheless, which makes the floor a little high.</summary>
    public void Read(int threads) => Parallel.For(0, pieces.Length, new ParallelOptions { MaxDegreeOfParallelism = threads }, piece => Interlocked.Add(ref sink, Sum(pieces[piece].Start, pieces[piece].Bytes)));

    static long Sum(nint start, long bytes)
    {
        var data = (ulong*)start;
        Vector512<ulong> a = default, b = default, c = default, d = default;
        for (long i = 0; i + 32 <= bytes / 8; i += 32)
        {
            a ^= Vector512.Load(data + i);
            b ^= Vector512.Load(data + i + 8);
            c ^= Vector512.Load(data + i + 16);
            d ^= Vector512.Load(data + i + 24);
        }
        return (long)Vector512.Sum(a ^ b ^ c ^ d);
    }
}
