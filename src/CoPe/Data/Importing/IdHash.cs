using System.Security.Cryptography;
using System.Text;

namespace CoPe.Data.Importing;

/// <summary>Puts hashes in the place of user ids: the same id gives the same hash under the same key, and without the key nobody can try names out.</summary>
/// <param name="key">The secret.</param>
public sealed class IdHash(byte[] key)
{
    const int KeyBytes = 32;

    /// <summary>The key of a file, made where there is none.</summary>
    public static IdHash OfFile(string path)
    {
        if (!File.Exists(path)) AtomicFile.WriteText(path, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes)) + "\n");
        try
        {
            return new(Convert.FromHexString(File.ReadAllText(path).Trim()));
        }
        catch (FormatException error)
        {
            throw new DataFileException(new() { File = path }, "no hexadecimal digits", "the key that an earlier import wrote", "Restore it, or delete it to start with new hashes.", error);
        }
    }

    /// <summary><code>"u" + first 16 hexadecimal digits of HMAC-SHA256(key, id)</code></summary>
    public string Of(string id) => "u" + Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(id)))[..16];
}
