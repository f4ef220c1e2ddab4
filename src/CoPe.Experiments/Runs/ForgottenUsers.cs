using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CoPe.Experiments.Data;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Users that a run must not take up again, though the data it reads may still hold them: as hashes under a salt of the
/// run's own, so that the file names nobody. Who has a list of ids can try them out.
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
    /// Those of them who were among the first users of the data to whom the recipe limits the run: nobody takes their
    /// places, whether the data still hold them or not.
    /// </summary>
    public IReadOnlyList<string> Admitted { get; init; } = [];

    /// <summary>
    /// The forgotten users of a run, or of the one that it lies in; none where there is no such file.
    /// </summary>
    /// <exception cref="RunException">The file is damaged: going on might bring a user back.</exception>
    public static ForgottenUsers Read(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var file = new[] { run, new RunDirectory(Path.GetDirectoryName(run.Root) ?? run.Root) }
            .Select(place => place.ForgottenUsers)
            .FirstOrDefault(File.Exists);
        try
        {
            return file is not null
                ? JsonSerializer.Deserialize<ForgottenUsers>(File.ReadAllText(file), JsonOptions)
                    ?? throw new JsonException("null")
                : new() { Salt = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)) };
        }
        catch (JsonException error)
        {
            throw new RunException(
                $"{file} is damaged ({error.Message}): it says which users must not come back; restore it, or start a new run",
                error
            );
        }
    }

    /// <summary>
    /// Notes one more user. Runs within this one that went by its list keep the one they were made with, so that
    /// nothing in them is out of date.
    /// </summary>
    /// <param name="run">The run.</param>
    /// <param name="user">The user.</param>
    /// <param name="isAdmitted">Whether he was among the first users to whom the recipe limits the run.</param>
    public static void Add(RunDirectory run, string user, bool isAdmitted)
    {
        ArgumentNullException.ThrowIfNull(run);
        var known = Read(run);
        if (File.Exists(run.ForgottenUsers) && known.Contains(user))
        {
            return;
        }

        foreach (var within in run.ChildRuns().Where(within => !File.Exists(within.ForgottenUsers)))
        {
            Read(within).Write(within);
        }

        known.With(user, isAdmitted).Write(run);
    }

    /// <summary>Whether a user was forgotten.</summary>
    public bool Contains(string user) => Users.Count > 0 && Users.Contains(ComputeHash(user));

    /// <summary>Whether he is forgotten and was among the first users to whom the recipe limited the run.</summary>
    public bool CountedTowardLimit(string user) => Admitted.Count > 0 && Admitted.Contains(ComputeHash(user));

    /// <summary>How many users a recipe of at most so many still admits; null for all.</summary>
    public int? RemainingLimit(int? most) => most is { } first ? Math.Max(0, first - Admitted.Count) : null;

    /// <summary>Those users of the data whom a recipe of at most so many users admits.</summary>
    public IEnumerable<LampUser> SelectRemaining(IEnumerable<LampUser> users, int? most) =>
        users.Where(user => !Contains(user.Id)).Take(RemainingLimit(most) ?? int.MaxValue);

    /// <summary>The list with one more user.</summary>
    public ForgottenUsers With(string user, bool isAdmitted = false) =>
        Contains(user)
            ? this
            : this with
            {
                Users = [.. Users, ComputeHash(user)],
                Admitted = isAdmitted ? [.. Admitted, ComputeHash(user)] : Admitted,
            };

    /// <summary>Writes the list.</summary>
    public void Write(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        AtomicFile.WriteText(run.ForgottenUsers, JsonSerializer.Serialize(this, JsonOptions) + "\n");
    }

    string ComputeHash(string user) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(Convert.FromHexString(Salt), Encoding.UTF8.GetBytes(user)));
}

/// <summary>
/// What an erasure notes before it changes anything: the stages that will be whole at its end. Afterwards their markers
/// cannot tell, for the user is an input of each;
/// an erasure that goes on from an interrupted one goes by the note.
/// </summary>
public static class ErasureJournal
{
    /// <summary>
    /// Requires that no erasure was interrupted in a run: its stages are neither with the user nor without him.
    /// </summary>
    /// <exception cref="RunException">One was; the message says how to finish it.</exception>
    public static void ThrowIfInterrupted(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (File.Exists(run.PendingErasure))
        {
            throw new RunException(
                $"an erasure in {run.Name} was interrupted: repeat 'cope user forget {run.Name} USER' first, which finishes it and keeps what belongs to others"
            );
        }
    }

    /// <summary>The stages noted; null where no erasure is under way.</summary>
    internal static string[]? Read(RunDirectory run) =>
        File.Exists(run.PendingErasure) ? File.ReadAllLines(run.PendingErasure) : null;

    internal static void Write(RunDirectory run, string[] stages) => AtomicFile.WriteLines(run.PendingErasure, stages);
}
