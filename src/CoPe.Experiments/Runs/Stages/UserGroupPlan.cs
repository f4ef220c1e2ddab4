using System.Text.Json;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Which users a stage trains together. Chosen once, for the machine that starts the stage, and kept beside the stage's
/// checkpoints, so that a run resumes on a machine with other memory or cores as if it had never moved.
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
    /// The plan that lies in a stage's folder of checkpoints. Where there is none, or it is of other users or of
    /// another setting, a new one is written and what an unfinished group of the former plan left is removed.
    /// </summary>
    /// <param name="folder">The stage's folder of checkpoints.</param>
    /// <param name="users">The users, in the order in which they are to be trained.</param>
    /// <param name="usersAtOnce">Users of a group as the recipe says; null chooses.</param>
    /// <param name="chooseUsersAtOnce">Chooses the users of a group for this machine.</param>
    public static UserGroupPlan ReadOrCreate(
        string folder,
        IReadOnlyList<string> users,
        int? usersAtOnce,
        Func<int> chooseUsersAtOnce
    )
    {
        var path = Path.Combine(folder, "groups.json");
        if (TryRead(path) is { } plan && plan.UsersAtOnce == usersAtOnce && plan.IsOf(users))
        {
            return plan;
        }
        AtomicFile.Remove(folder);
        Directory.CreateDirectory(folder);
        var created = new UserGroupPlan
        {
            UsersAtOnce = usersAtOnce,
            Groups = [.. users.Chunk(usersAtOnce ?? chooseUsersAtOnce())],
        };
        AtomicFile.WriteBytes(path, JsonSerializer.SerializeToUtf8Bytes(created, Options));
        return created;
    }

    /// <summary>Name of a group's checkpoint.</summary>
    /// <param name="index">Index of the group.</param>
    public static string GetGroupName(int index) => $"group-{index + 1}";

    bool IsOf(IReadOnlyList<string> users) => Groups.SelectMany(group => group).SequenceEqual(users);

    static UserGroupPlan? TryRead(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }
        try
        {
            return JsonSerializer.Deserialize<UserGroupPlan>(File.ReadAllBytes(path), Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
