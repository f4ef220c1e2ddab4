using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CoPe;

/// <summary>
/// Deterministic numbers from a seed: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014). The state is a counter, so a number can also be had by its place (<see cref="Hash"/>):
/// data order, dropout and sampling need no state beyond their seed, and a resumed run draws what an undisturbed one
/// would.
/// </summary>
/// <param name="state">The seed.</param>
struct SplitMix64(ulong state)
{
    /// <summary>What the state grows by: 2^64 divided by the golden ratio.</summary>
    public const ulong Increment = 0x9E3779B97F4A7C15;

    ulong _state = state;

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        _state += Increment;
        return Mix(_state);
    }

    /// <summary>A number from 0 to <paramref name="count"/> - 1.</summary>
    public int NextBelow(int count) => (int)(((UInt128)Next() * (ulong)count) >> 64);

    /// <summary>A number from 0 to below 1, of 53 bits.</summary>
    public double NextDouble() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>The first 64 bits of the seed <paramref name="counter"/>: what a hash of it would be.</summary>
    public static ulong Hash(ulong counter) => Mix(counter + Increment);

    /// <summary>The output function: every bit of the state reaches every bit of the number.</summary>
    public static ulong Mix(ulong state)
    {
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
        return state ^ (state >> 31);
    }
}

/// <summary>
/// The random numbers of one sample of one request, by position: the number of token <c>t</c> is a hash of seed, sample
/// and <c>t</c>. Nothing is carried from draw to draw, so batch mates, order and resuming cannot change a draw.
/// </summary>
/// <param name="Seed">The request's seed.</param>
/// <param name="Sample">The sample's number.</param>
readonly record struct UniformGenerator(long Seed, int Sample)
{
    /// <summary>
    /// The number in [0, 1), a multiple of 2^-32, with which token <paramref name="position"/> of the answer is drawn.
    /// </summary>
    public double At(int position)
    {
        var origin = SplitMix64.Hash((ulong)Seed + SplitMix64.Hash((ulong)Sample));
        var bits = SplitMix64.Hash(origin + (ulong)position);
        return (bits >> 32) / 4294967296.0;
    }
}

/// <summary>
/// Hash of a 32-bit counter under a 64-bit key, for dropout masks: the last step of MurmurHash3 with the key between
/// its two products. It stands beside SplitMix64 because it fits 16 columns into one register, which 64-bit products do
/// not.
/// </summary>
static class DropoutHash
{
    const uint First = 0x85EBCA6B;
    const uint Second = 0xC2B2AE35;

    /// <summary>32 bits for one column.</summary>
    public static uint Hash(ulong key, uint column)
    {
        var bits = (uint)key + column;
        bits = ((bits ^ (bits >> 16)) * First) ^ (uint)(key >> 32);
        bits = (bits ^ (bits >> 13)) * Second;
        return bits ^ (bits >> 16);
    }

    /// <summary>32 bits for each of the 16 columns from <paramref name="firstColumn"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> HashColumns(ulong key, uint firstColumn)
    {
        var bits = Vector512.Create((uint)key + firstColumn) + Vector512<uint>.Indices;
        bits = ((bits ^ (bits >>> 16)) * Vector512.Create(First)) ^ Vector512.Create((uint)(key >> 32));
        bits = (bits ^ (bits >>> 13)) * Vector512.Create(Second);
        return bits ^ (bits >>> 16);
    }
}

/// <summary>
/// The generator of shuffles and bootstraps: .NET's <see cref="Random"/> with a seed, whose numbers .NET keeps from
/// version to version. It stays because published p-values and the choice of the task-adaptive model's examples were
/// drawn from it.
/// </summary>
static class SeededRandom
{
    /// <summary>A generator at its start.</summary>
    public static Random Create(int seed) => new(seed);
}
