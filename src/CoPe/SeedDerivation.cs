using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace CoPe;

/// <summary>
/// Every seed that is made of another one, so that each part of a run draws from a stream of its own whatever the
/// others do. Words are hashed by SHA-256 (<see cref="Derive"/>, <see cref="DeriveForItem"/>, <see cref="RankUser"/>);
/// counters, names of trained adapters and sample data by SplitMix64 over FNV-1a. The two cannot become one without
/// changing every adapter and answer made so far; the values of both are pinned by a test.
/// </summary>
static class SeedDerivation
{
    /// <summary>
    /// The seed of a part of a run: <code>first 8 bytes of SHA-256(seed, names), little-endian, non-negative</code>
    /// </summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="names">What the part is called, for example <c>predict</c> and a query's id.</param>
    public static long Derive(long seed, params ReadOnlySpan<string> names)
    {
        var text = $"{seed}\0{string.Join('\0', names!)}";
        return First64Bits(text) & long.MaxValue;
    }

    /// <summary>
    /// The seed of a history item: <code>first 8 bytes of SHA-256(seed, user, item), each with its length</code>
    /// </summary>
    public static long DeriveForItem(long seed, string userId, string itemId) =>
        First64Bits($"{seed} {userId.Length} {userId} {itemId.Length} {itemId}");

    /// <summary>
    /// A user's place in an order that the seed decides: <code>first 16 bytes of SHA-256(seed, user)</code>
    /// </summary>
    public static UInt128 RankUser(long seed, string userId)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}\n{userId}"));
        var upper = BinaryPrimitives.ReadUInt64LittleEndian(hash);
        var lower = BinaryPrimitives.ReadUInt64LittleEndian(hash.AsSpan(8));
        return new UInt128(upper, lower);
    }

    /// <summary>
    /// The seed of one trained user: of the run's seed and the user's name alone, whoever trains in the same batch.
    /// </summary>
    public static long DeriveForUser(long seed, string name)
    {
        var hash = StableHash.Fnv1a64(Encoding.UTF8.GetBytes(name));
        return Combine(seed, (long)hash);
    }

    /// <summary>The seed of a place that counters name, for example an epoch, or a step and an example.</summary>
    public static long Combine(long seed, params ReadOnlySpan<long> counters)
    {
        var combined = SplitMix64.Hash((ulong)seed);
        foreach (var counter in counters)
        {
            combined = SplitMix64.Hash(combined ^ (ulong)counter);
        }

        return (long)combined;
    }

    /// <summary>The seed of a part of the sample data.</summary>
    public static ulong DeriveForSamples(ulong seed, string name) => SplitMix64.Hash(StableHash.Fnv1a64(name, seed));

    static long First64Bits(string text)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(text));
        return BinaryPrimitives.ReadInt64LittleEndian(hash);
    }
}
