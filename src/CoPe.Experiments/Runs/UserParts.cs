using System.Text;
using CoPe.Experiments.Data;

namespace CoPe.Experiments.Runs;

/// <summary>Parts of a user that a stage reads.</summary>
[Flags]
enum UserParts
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The history, as the recipe limits and splits it.</summary>
    History = 1,

    /// <summary>The queries with their golds.</summary>
    Queries = 2,

    /// <summary>An adapter of theirs that was made elsewhere.</summary>
    Adapter = 4,

    /// <summary>Everything that the data have of them.</summary>
    All = History | Queries,
}

/// <summary>Fingerprints of the parts of a user as the run reads them.</summary>
sealed record UserFingerprint(string History, string Queries)
{
    /// <summary>Of their adapter that was made elsewhere; empty where the run takes none.</summary>
    public string Adapter { get; init; } = "";

    /// <summary>The fingerprints of a user's parts: SHA-256 over their texts, each after its length.</summary>
    public static UserFingerprint Compute(LampUser user)
    {
        var history = new StringBuilder();
        foreach (var item in user.History)
        {
            Append(history, item.Id);
            foreach (var (field, text) in item.Fields.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                Append(history, field);
                Append(history, text);
            }
        }

        var queries = new StringBuilder();
        foreach (var query in user.Queries)
        {
            Append(queries, query.Id);
            Append(queries, query.Input);
            Append(queries, query.Gold);
        }

        return new(StableHash.Sha256Hex(history.ToString()), StableHash.Sha256Hex(queries.ToString()));
    }

    /// <summary>One hash over some of the parts.</summary>
    public string Combine(UserParts parts)
    {
        var history = parts.HasFlag(UserParts.History) ? History : "";
        var queries = parts.HasFlag(UserParts.Queries) ? Queries : "";
        var adapter = parts.HasFlag(UserParts.Adapter) ? $" {Adapter}" : "";
        return StableHash.Sha256Hex($"{history} {queries}{adapter}");
    }

    static void Append(StringBuilder text, string value) => text.Append(value.Length).Append(' ').Append(value);
}

/// <summary>How the users that a stage was made for differ from those of the run now.</summary>
sealed record UserChanges
{
    const int MaxNamed = 3;

    /// <summary>No difference.</summary>
    public static UserChanges None { get; } = new();

    /// <summary>Users that the stage has nothing of.</summary>
    public IReadOnlyList<string> New { get; init; } = [];

    /// <summary>Users of whom the stage reads something else than it was made from.</summary>
    public IReadOnlyList<string> Changed { get; init; } = [];

    /// <summary>Users who are no longer in the run.</summary>
    public IReadOnlyList<string> Gone { get; init; } = [];

    /// <summary>Whether there is a difference.</summary>
    public bool Any => New.Count + Changed.Count + Gone.Count > 0;

    /// <summary>Users whose part is made: new ones and changed ones.</summary>
    public int DueCount => New.Count + Changed.Count;

    /// <summary>The difference in words: <c>user 'x' is new, 2 users changed</c>.</summary>
    public override string ToString()
    {
        IEnumerable<string> parts =
        [
            .. Describe(New, "is new", "are new"),
            .. Describe(Changed, "changed", "changed"),
            .. Describe(Gone, "is gone", "are gone"),
        ];
        return string.Join(", ", parts);
    }

    /// <summary>
    /// What a run does for its users: <c>user 'x' is new: 1 of 101 users, 4 stages</c>; null where no stage has users
    /// to add or to remove.
    /// </summary>
    /// <param name="due">The stages to run.</param>
    /// <param name="users">Users of the run.</param>
    public static string? DescribeRun(IReadOnlyList<StageStatus> due, int users)
    {
        ArgumentNullException.ThrowIfNull(due);
        var partial = due.Where(status => status.State == StageState.UsersChanged).ToList();
        if (partial.Count == 0)
        {
            return null;
        }

        var changes = new UserChanges
        {
            New = Union(partial, changes => changes.New),
            Changed = Union(partial, changes => changes.Changed)
                .Except(Union(partial, changes => changes.New))
                .ToList(),
            Gone = Union(partial, changes => changes.Gone),
        };
        var stages = partial.Count == 1 ? "1 stage" : $"{partial.Count} stages";
        var made = users == 1 ? $"{changes.DueCount} of 1 user" : $"{changes.DueCount} of {users} users";
        return $"{changes}: {made}, {stages}";
    }

    static List<string> Union(List<StageStatus> statuses, Func<UserChanges, IEnumerable<string>> select) =>
        [.. statuses.SelectMany(status => select(status.Users)).Distinct()];

    static IEnumerable<string> Describe(IReadOnlyList<string> users, string one, string many) =>
        users.Count switch
        {
            0 => [],
            1 => [$"user '{users[0]}' {one}"],
            <= MaxNamed => [$"users {string.Join(", ", users.Select(user => $"'{user}'"))} {many}"],
            _ => [$"{users.Count} users {many}"],
        };
}

/// <summary>What a stage's marker says of a user.</summary>
/// <param name="Hash">Hash of what the stage reads of the user.</param>
/// <param name="Made">When the user's part was made.</param>
public sealed record UserMark(string Hash, DateTimeOffset Made);
