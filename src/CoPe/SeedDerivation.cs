using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace CoPe;

/// <summary>
/// Seeds of parts of a run, so that each part draws from a stream of its own, whatever the others do.
/// </summary>
static class SeedDerivation
{
    /// <summary>
    /// A seed made from the run's and the names of the part: <code>first 8 bytes of SHA-256(seed, names),
    /// non-negative</code>
    /// </summary>
    public static long Derive(long seed, params ReadOnlySpan<string> names)
    {
        var text = $"{seed}\0{string.Join('\0', names!)}";
        return BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))) & long.MaxValue;
    }
}
