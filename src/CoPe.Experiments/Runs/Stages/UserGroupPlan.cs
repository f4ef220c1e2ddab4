using System.Text.Json;
using CoPe.Experiments.Data;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Which users of a block a stage trains together. Chosen once, when the stage starts, and kept beside its checkpoints.
/// </summary>
sealed record UserGroupPlan
{
    static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>Users of a group as the recipe says; null where they were chosen for the machine.</summary>
    public int? UsersAtOnce { get; init; }

    /// <summary>The users of each group, in the order in which they are trained.</summary>
    public required IReadOnlyList<IReadOnlyList<string>> Groups { get; init; }

    /// <summary>
    /// The users to train: those that have no adapter yet, or where a plan is under way, all of that plan.
    /// </summary>
    /// <param name="folder">The stage's folder of checkpoints.</param>
    /// <param name="users">Every user.</param>
    /// <param name="hasAdapter">Whether a user's adapter is there.</param>
    public static IReadOnlyList<LampUser> SelectUsers(
        string folder,
        IReadOnlyList<LampUser> users,
        Func<string, bool> hasAdapter
    )
    {
        var missing = users.Where(user => !hasAdapter(user.Id)).ToList();
        if (TryRead(GetPath(folder)) is not { } plan)
        {
            return missing;
        }

        var planned = plan.Groups.SelectMany(group => group).ToHashSet();
        return missing.TrueForAll(user => planned.Contains(user.Id))
            ? [.. users.Where(user => planned.Contains(user.Id))]
            : missing;
    }

    /// <summary>
    /// The plan that lies in a stage's folder of checkpoints. Where there is none, or it is of other users or of
    /// another setting, a new one is written and what an unfinished group of the former plan left is removed.
    /// </summary>
    /// <param name="folder">The stage's folder of checkpoints.</param>
    /// <param name="blocks">The users of each block, in the order in which they are to be trained.</param>
    /// <param name="usersAtOnce">Users of a group as the recipe says; null chooses.</param>
    /// <param name="chooseUsersAtOnce">Chooses the users of a group of a block.</param>
    public static UserGroupPlan ReadOrCreate(
        string folder,
        IReadOnlyList<IReadOnlyList<string>> blocks,
        int? usersAtOnce,
        Func<IReadOnlyList<string>, int> chooseUsersAtOnce
    )
    {
        var path = GetPath(folder);
        if (
            TryRead(path) is { } plan
            && plan.UsersAtOnce == usersAtOnce
            && plan.IsOf(blocks.SelectMany(users => users))
        )
        {
            return plan;
        }
        AtomicFile.Remove(folder);
        Directory.CreateDirectory(folder);
        var created = new UserGroupPlan
        {
            UsersAtOnce = usersAtOnce,
            Groups = [.. blocks.SelectMany(users => users.Chunk(usersAtOnce ?? chooseUsersAtOnce(users)))],
        };
        AtomicFile.WriteBytes(path, JsonSerializer.SerializeToUtf8Bytes(created, Options));
        return created;
    }

    /// <summary>Name of a group's checkpoint.</summary>
    /// <param name="index">Index of the group.</param>
    public static string GetGroupName(int index) => $"group-{index + 1}";

    static string GetPath(string folder) => Path.Combine(folder, "groups.json");

    bool IsOf(IEnumerable<string> users) => Groups.SelectMany(group => group).SequenceEqual(users);

    static UserGroupPlan? TryRead(string path) => RunJson.TryRead<UserGroupPlan>(path, Options);
}
