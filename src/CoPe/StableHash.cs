using System.Security.Cryptography;

namespace CoPe;

/// <summary>
/// Hashes that are the same on every machine and in every process, unlike <see cref="object.GetHashCode"/>: FNV-1a
/// (Fowler, Noll and Vo) for buckets and seeds, SHA-256 for fingerprints.
/// </summary>
static class StableHash
{
    const ulong Basis64 = 0xCBF29CE484222325;
    const ulong Prime64 = 0x100000001B3;
    const uint Basis32 = 0x811C9DC5;
    const uint Prime32 = 0x01000193;

    /// <summary>FNV-1a of bytes, 64 bits.</summary>
    public static ulong Fnv1a64(ReadOnlySpan<byte> bytes)
    {
        var hash = Basis64;
        foreach (var value in bytes)
        {
            hash = (hash ^ value) * Prime64;
        }

        return hash;
    }

    /// <summary>FNV-1a of a text's UTF-16 units, 64 bits; <paramref name="seed"/> changes the first state.</summary>
    public static ulong Fnv1a64(string text, ulong seed = 0)
    {
        var hash = Basis64 ^ seed;
        foreach (var unit in text)
        {
            hash = (hash ^ unit) * Prime64;
        }

        return hash;
    }

    /// <summary>FNV-1a of bytes, 32 bits.</summary>
    public static uint Fnv1a32(ReadOnlySpan<byte> bytes)
    {
        var hash = Basis32;
        foreach (var value in bytes)
        {
            hash = (hash ^ value) * Prime32;
        }

        return hash;
    }

    /// <summary>
    /// The hash of a sequence of which <paramref name="hash"/> is the hash so far and <paramref name="next"/> the next
    /// element's.
    /// </summary>
    public static ulong Combine(ulong hash, ulong next) => ((hash ^ next) * SplitMix64.Increment) + (hash >> 29);

    /// <summary>SHA-256 of a text in UTF-8, in lower-case hexadecimal digits.</summary>
    public static string Sha256Hex(string text) => Sha256Hex(System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>SHA-256 of bytes, in lower-case hexadecimal digits.</summary>
    public static string Sha256Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>SHA-256 of what is left of a stream, in lower-case hexadecimal digits.</summary>
    public static string Sha256Hex(Stream stream) => Convert.ToHexStringLower(SHA256.HashData(stream));
}
