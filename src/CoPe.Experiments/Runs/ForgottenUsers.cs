using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CoPe.Experiments.Data;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Users that a run must never read again, though its data may still hold them. They are stored as hashes with a salt
/// of the run, so that the file names nobody; anyone with a list of ids can test them against it.
/// </summary>
public sealed record ForgottenUsers
{
    static readonly JsonSerializerOptions JsonOptions = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>The salt in hexadecimal digits.</summary>
    public required string Salt { get; init; }

    /// <summary>HMAC-SHA256 of each user's id under the salt.</summary>
    public IReadOnlyList<string> Users { get; init; } = [];

    /// <summary>
    /// Those of <see cref="Users"/> who were among the first users of the data to whom the recipe limits the run. No
    /// other user takes their places, whether the data still hold them or not.
    /// </summary>
    public IReadOnlyList<string> Admitted { get; init; } = [];

    /// <summary>
    /// The forgotten users of a run, or where it has no list, of the run that contains it; otherwise none.
    /// </summary>
    /// <exception cref="RunException">The file is damaged; continuing might read an erased user.</exception>
    public static ForgottenUsers Read(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var parent = new RunDirectory(Path.GetDirectoryName(run.Root) ?? run.Root);
        string[] files = [run.ForgottenUsers, parent.ForgottenUsers];
        if (files.FirstOrDefault(File.Exists) is not { } file)
        {
            return new() { Salt = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)) };
        }

        const string Advice = "it lists the users that must not be read again; restore it, or start a new run";
        var list = RunJson.Read<ForgottenUsers>(file, JsonOptions, Advice);
        if (string.IsNullOrEmpty(list.Salt) || !list.Users.Concat(list.Admitted).Append(list.Salt).All(IsHexadecimal))
        {
            throw RunJson.CreateDamagedError(file, "the salt or a hash is no hexadecimal number of bytes", Advice);
        }

        return list;
    }

    /// <summary>
    /// Adds a user to a run's list. Child runs without a list of their own used this one: they keep it as it was, so
    /// that none of their stages becomes stale.
    /// </summary>
    /// <param name="run">The run.</param>
    /// <param name="user">The user.</param>
    /// <param name="isAdmitted">Whether the user is among the first users to whom the recipe limits the run.</param>
    public static void Add(RunDirectory run, string user, bool isAdmitted)
    {
        ArgumentNullException.ThrowIfNull(run);
        var known = Read(run);
        if (File.Exists(run.ForgottenUsers) && known.Contains(user))
        {
            return;
        }

        foreach (var child in run.ChildRuns().Where(child => !File.Exists(child.ForgottenUsers)))
        {
            Read(child).Write(child);
        }

        known.With(user, isAdmitted).Write(run);
    }

    /// <summary>Whether a user was forgotten.</summary>
    public bool Contains(string user) => Users.Count > 0 && Users.Contains(ComputeHash(user));

    /// <summary>
    /// Whether a user was forgotten who was among the first users to whom the recipe limited the run.
    /// </summary>
    public bool CountedTowardLimit(string user) => Admitted.Count > 0 && Admitted.Contains(ComputeHash(user));

    /// <summary>How many users are left of a recipe's limit; null where it has none.</summary>
    public int? RemainingLimit(int? limit) => limit is { } users ? Math.Max(0, users - Admitted.Count) : null;

    /// <summary>The users of the data that a recipe with such a limit reads.</summary>
    public IEnumerable<LampUser> SelectRemaining(IEnumerable<LampUser> users, int? limit) =>
        users.Where(user => !Contains(user.Id)).Take(RemainingLimit(limit) ?? int.MaxValue);

    /// <summary>The list with one more user.</summary>
    public ForgottenUsers With(string user, bool isAdmitted = false)
    {
        if (Contains(user))
        {
            return this;
        }

        var hash = ComputeHash(user);
        return this with { Users = [.. Users, hash], Admitted = isAdmitted ? [.. Admitted, hash] : Admitted };
    }

    /// <summary>The list without a user, who may be read again.</summary>
    public ForgottenUsers Without(string user)
    {
        var hash = ComputeHash(user);
        return this with
        {
            Users = [.. Users.Where(known => known != hash)],
            Admitted = [.. Admitted.Where(known => known != hash)],
        };
    }

    /// <summary>Writes the list.</summary>
    public void Write(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        AtomicFile.WriteText(run.ForgottenUsers, JsonSerializer.Serialize(this, JsonOptions) + "\n");
    }

    static bool IsHexadecimal(string text) => text.Length % 2 == 0 && text.All(char.IsAsciiHexDigit);

    string ComputeHash(string user) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Convert.FromHexString(Salt), Encoding.UTF8.GetBytes(user)));
}
