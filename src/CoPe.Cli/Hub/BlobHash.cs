using System.Security.Cryptography;
using System.Text;

namespace CoPe.Cli.Hub;

/// <summary>The hash that an ETag names, taken while bytes come in: SHA-256 of a large file, git's SHA-1 of a small one (<c>"blob SIZE\0"</c> before the bytes). Other ETags name none.</summary>
sealed class BlobHash : IDisposable
{
    readonly IncrementalHash? hash;
    readonly string etag;
    readonly byte[] prefix = [];

    public BlobHash(string etag, long size)
    {
        this.etag = etag;
        if (!etag.All(char.IsAsciiHexDigitLower)) return;
        if (etag.Length == 64) hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (etag.Length != 40) return;
        hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        prefix = Encoding.ASCII.GetBytes($"blob {size}\0");
        hash.AppendData(prefix);
    }

    /// <summary>Forgets the bytes so far.</summary>
    public void Restart()
    {
        hash?.GetHashAndReset();
        hash?.AppendData(prefix);
    }

    public void Add(ReadOnlySpan<byte> bytes) => hash?.AppendData(bytes);

    /// <summary>What the bytes hash to where that is not what the ETag says; null where it is, or where the ETag names no hash.</summary>
    public string? Mismatch() => hash is not null && Convert.ToHexStringLower(hash.GetHashAndReset()) is var found && found != etag ? found : null;

    public void Dispose() => hash?.Dispose();
}
