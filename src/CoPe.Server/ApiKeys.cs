using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CoPe.Json;

namespace CoPe.Server;

/// <summary>A key as the store knows it.</summary>
/// <param name="Id">Names it; not secret.</param>
/// <param name="Hash">SHA-256 of the key, which is random and long enough that it needs no slow hash.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Models">The personal models that it may ask; null for all.</param>
sealed record ApiKey(string Id, string Hash, DateTimeOffset Created, IReadOnlyList<string>? Models)
{
    /// <summary>Whether it may ask a model.</summary>
    public bool Allows(string model) => Models is null || Models.Contains(model);
}

/// <summary>
/// The keys in a file. What is added or revoked there holds for a server that runs, from its next request on.
/// </summary>
/// <param name="file">The file; it need not exist.</param>
/// <param name="time">Gives dates.</param>
sealed class ApiKeyStore(string file, TimeProvider time)
{
    const string Prefix = "cope-";
    const int SecretBytes = 32;

    static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    readonly Lock _gate = new();
    IReadOnlyList<ApiKey> _keys = [];
    (DateTime Written, long Length)? _state;

    /// <summary>The keys, as the file has them now.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public IReadOnlyList<ApiKey> Read()
    {
        lock (_gate)
        {
            var info = new FileInfo(file);
            (DateTime, long)? state = info.Exists ? (info.LastWriteTimeUtc, info.Length) : null;
            if (state != _state)
            {
                _keys = state is null ? [] : ReadFile();
                _state = state;
            }

            return _keys;
        }
    }

    IReadOnlyList<ApiKey> ReadFile()
    {
        try
        {
            return StrictJson.DeserializeFile<KeyFile>(file, Format).Keys;
        }
        catch (InvalidJsonException error)
        {
            throw new InvalidDataException(
                $"{file} is damaged ({error.Message}): make new keys with 'cope serve key add', after moving it away.",
                error
            );
        }
    }

    /// <summary>Makes a key and returns it: it is shown once and stored nowhere.</summary>
    /// <param name="models">The personal models that it may ask; null for all.</param>
    public (ApiKey Key, string Secret) Add(IReadOnlyList<string>? models)
    {
        var secret = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        var key = new ApiKey(id, Hash(secret), time.GetUtcNow(), models);
        Write([.. Read(), key]);
        return (key, secret);
    }

    /// <summary>Takes a key out; false where there is none of that name.</summary>
    public bool Revoke(string id)
    {
        var keys = Read();
        if (keys.All(key => key.Id != id))
        {
            return false;
        }

        Write([.. keys.Where(key => key.Id != id)]);
        return true;
    }

    /// <summary>The key that a secret is; null where it is none.</summary>
    public ApiKey? Find(string secret)
    {
        var hash = Encoding.ASCII.GetBytes(Hash(secret));
        ApiKey? found = null;
        foreach (var key in Read())
        {
            // All are compared, each in the same time.
            found = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(key.Hash), hash) ? key : found;
        }

        return found;
    }

    void Write(IReadOnlyList<ApiKey> keys)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        AtomicFile.WriteText(file, JsonSerializer.Serialize(new KeyFile(keys), Format));
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    sealed record KeyFile(IReadOnlyList<ApiKey> Keys);
}
