using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace CoPe.Runs.Privacy;

/// <summary>
/// Users that a run must not take up again, though the data it reads may still hold them: as hashes under a salt of the run's own, so that the file names nobody. Who has a list of ids can try them out.
/// </summary>
public sealed record ForgottenUsers
{
    static readonly JsonSerializerOptions Options = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The salt in hexadecimal digits.</summary>
    public required string Salt { get; init; }

    /// <summary>HMAC-SHA256 of each user's id under the salt.</summary>
    public IReadOnlyList<string> Users { get; init; } = [];

    /// <summary>The forgotten users of a run, or of the one that it lies in; none where there is no such file.</summary>
    /// <exception cref="RunException">The file is damaged: going on might bring a user back.</exception>
    public static ForgottenUsers Read(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        try
        {
            var file = new[] { run, new RunDirectory(Path.GetDirectoryName(run.Root) ?? run.Root) }.Select(place => place.Forgotten).FirstOrDefault(File.Exists);
            return file is not null ? JsonSerializer.Deserialize<ForgottenUsers>(File.ReadAllText(file), Options) ?? throw new JsonException("null")
                : new() { Salt = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)) };
        }
        catch (JsonException error)
        {
            throw new RunException($"{run.Forgotten} is damaged ({error.Message}): it says which users must not come back; restore it, or start a new run", error);
        }
    }

    /// <summary>Whether a user was forgotten.</summary>
    public bool Contains(string user) => Users.Count > 0 && Users.Contains(HashOf(user));

    /// <summary>The list with one more user.</summary>
    public ForgottenUsers With(string user) => Contains(user) ? this : this with { Users = [.. Users, HashOf(user)] };

    /// <summary>Writes the list.</summary>
    public void Write(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        AtomicFile.WriteText(run.Forgotten, JsonSerializer.Serialize(this, Options) + "\n");
    }

    string HashOf(string user) => Convert.ToHexStringLower(HMACSHA256.HashData(Convert.FromHexString(Salt), Encoding.UTF8.GetBytes(user)));
}
