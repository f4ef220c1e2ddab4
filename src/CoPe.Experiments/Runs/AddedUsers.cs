using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Users whom a person added to a run or whose history they updated there, a file each in the run's own folder: the
/// data of the run stay as they are.
/// </summary>
static class AddedUsers
{
    /// <summary>The users, in the order of their files' names.</summary>
    /// <exception cref="DataFileException">A file is damaged.</exception>
    public static IEnumerable<LampUser> Read(RunDirectory run, LampTask task) =>
        ListFiles(run).Select(file => ReadFile(file, task));

    /// <summary>
    /// The users of a data folder with those of the run: one of the same id takes the other's place, the others follow.
    /// </summary>
    /// <exception cref="DataFileException">A query id occurs twice.</exception>
    public static IReadOnlyList<LampUser> Merge(
        IReadOnlyList<LampUser> users,
        RunDirectory run,
        LampTask task,
        Func<string, bool>? isExcluded = null
    )
    {
        var added = Read(run, task).Where(user => isExcluded?.Invoke(user.Id) != true).ToDictionary(user => user.Id);
        if (added.Count == 0)
        {
            return users;
        }

        var known = users.Select(user => user.Id).ToHashSet();
        List<LampUser> merged =
        [
            .. users.Select(user => added.GetValueOrDefault(user.Id, user)),
            .. added.Values.Where(user => !known.Contains(user.Id)),
        ];
        var owners = new Dictionary<string, string>();
        foreach (var (user, query) in merged.SelectMany(user => user.Queries.Select(query => (user, query))))
        {
            if (!owners.TryAdd(query.Id, user.Id))
            {
                throw new DataFileException(
                    new()
                    {
                        File = run.AddedUser(added.ContainsKey(user.Id) ? user.Id : owners[query.Id]),
                        User = user.Id,
                        Item = query.Id,
                    },
                    $"a query id that user '{owners[query.Id]}' has as well",
                    "each query once",
                    "Rename it in the file that the user was added from, and add them again."
                );
            }
        }

        return merged;
    }

    /// <summary>Adds a user, or replaces what was added of them.</summary>
    public static void Write(RunDirectory run, LampUser user) =>
        LampFileWriter.WriteUsers(run.AddedUser(user.Id), [user]);

    /// <summary>Removes what was added of a user.</summary>
    public static void Remove(RunDirectory run, string user) => AtomicFile.Remove(run.AddedUser(user));

    /// <summary>The files as inputs of stages.</summary>
    public static IEnumerable<StageInput> ListInputs(RunDirectory run) =>
        ListFiles(run)
            .Select(file => new StageInput(
                InputKinds.Users,
                $"users/{Path.GetFileName(file)}",
                StableHash.Sha256Hex(File.ReadAllBytes(file))
            ));

    static IEnumerable<string> ListFiles(RunDirectory run) =>
        Directory.Exists(run.AddedUsers)
            ? Directory.EnumerateFiles(run.AddedUsers, "*.json").Order(StringComparer.Ordinal)
            : [];

    static LampUser ReadFile(string file, LampTask task)
    {
        using var tokens = new JsonTokenStream(file);
        return new LampFileReader(tokens, task).ReadUsers().FirstOrDefault()
            ?? throw new DataFileException(
                new() { File = file },
                "no user",
                "the user that was added",
                "Delete the file and add the user again."
            );
    }
}
