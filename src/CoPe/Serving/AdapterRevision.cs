using System.Buffers.Binary;
using System.Security.Cryptography;
using CoPe.Adapters;

namespace CoPe.Serving;

/// <summary>An adapter's folder and what lies in it: another revision is another adapter.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Revision">Tells its content from any other.</param>
readonly record struct AdapterKey(string Folder, string Revision)
{
    /// <summary>Bytes at the end of the weights that a revision covers: training changes every one.</summary>
    const int TailLength = 4096;

    /// <summary>What a folder holds now.</summary>
    /// <exception cref="IOException">It holds no adapter, or cannot be read.</exception>
    public static AdapterKey Read(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(File.ReadAllBytes(Path.Combine(folder, AdapterFile.ConfigFileName)));
        var weights = new FileInfo(Path.Combine(folder, AdapterFile.WeightsFileName));
        Span<byte> facts = stackalloc byte[16];
        using var file = weights.OpenRead();
        BinaryPrimitives.WriteInt64LittleEndian(facts, file.Length);
        BinaryPrimitives.WriteInt64LittleEndian(facts[8..], weights.LastWriteTimeUtc.Ticks);
        hash.AppendData(facts);
        file.Position = Math.Max(0, file.Length - TailLength);
        var tail = new byte[Math.Min(TailLength, file.Length)];
        file.ReadExactly(tail);
        hash.AppendData(tail);
        return new(folder, Convert.ToHexStringLower(hash.GetHashAndReset()[..8]));
    }
}
