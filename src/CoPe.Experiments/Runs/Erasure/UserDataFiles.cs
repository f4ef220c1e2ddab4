using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Checking;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Erasure;

/// <summary>Finds users in a task's data files, and removes them from these.</summary>
/// <param name="folder">The task's data folder.</param>
/// <param name="task">The task.</param>
sealed class UserDataFiles(string folder, LampTask task)
{
    readonly Lazy<HashSet<string>> _ids = new(() =>
        [.. new UserDataFiles(folder, task).ReadUsers().Select(user => user.Id)]
    );

    /// <summary>The test users as they were at the first look.</summary>
    public IReadOnlySet<string> KnownIds => _ids.Value;

    string UsersPath => Path.Combine(folder, LampFiles.UsersFile);

    string LabelsPath => Path.Combine(folder, LampFiles.LabelsFile);

    string OthersPath => Path.Combine(folder, LampFiles.OthersFile);

    /// <summary>The task's data folder.</summary>
    public string Folder => folder;

    /// <summary>The task.</summary>
    public LampTask Task => task;

    /// <summary>The test users, golds filled in where they are known.</summary>
    public IEnumerable<LampUser> ReadUsers()
    {
        if (!File.Exists(UsersPath))
        {
            yield break;
        }

        var golds = ReadGolds();
        using var tokens = new JsonTokenStream(UsersPath);
        foreach (var user in new LampFileReader(tokens, task).ReadUsers())
        {
            yield return user with
            {
                Queries =
                [
                    .. user.Queries.Select(query =>
                        query.Gold.Length > 0 ? query : query with { Gold = golds.GetValueOrDefault(query.Id, "") }
                    ),
                ],
            };
        }
    }

    /// <summary>Whether a user is one of the other users, on whom the task-adaptive model was trained.</summary>
    public bool IsOtherUser(string id) => ReadOthers().Any(user => user.Id == id);

    IEnumerable<LampUser> ReadOthers()
    {
        if (!File.Exists(OthersPath))
        {
            yield break;
        }

        using var tokens = new JsonTokenStream(OthersPath);
        foreach (var user in new LampFileReader(tokens, task).ReadUsers())
        {
            yield return user;
        }
    }

    /// <summary>
    /// Removes a user from the files and keeps everything else as it is written there; with the last test user, the
    /// files are removed. The labels come first: should this be interrupted, the file of the users still tells which
    /// labels are theirs.
    /// </summary>
    public void Remove(LampUser removed)
    {
        if (ReadUsers().All(user => user.Id == removed.Id))
        {
            AtomicFile.Remove(LabelsPath);
            AtomicFile.Remove(UsersPath);
            return;
        }

        var queries = removed.Queries.Select(query => query.Id).ToHashSet();
        bool IsLabelOfUser(ReadOnlyMemory<byte> label) =>
            RecordedLine.Parse(label.Span)?.GetTexts("id").Any(queries.Contains) == true;
        var labels = new JsonArrayFile(LabelsPath, "golds");
        if (File.Exists(LabelsPath) && labels.ReadEntries().Any(IsLabelOfUser))
        {
            labels.RemoveEntries(IsLabelOfUser);
        }

        new JsonArrayFile(UsersPath, field: null).RemoveEntries(user =>
            RecordedLine.ReadField(user.Span, "user_id") == removed.Id
        );
    }

    /// <summary>Removes what commands that were killed while they wrote the files have left beside them.</summary>
    public void RemoveTemporary()
    {
        string[] written = [UsersPath, LabelsPath, OthersPath, Path.Combine(folder, TaskFile.DefaultName)];
        foreach (
            var path in written.Select(AtomicFile.GetAside).Append(CheckedDatasetWriter.GetUncheckedFolder(folder))
        )
        {
            AtomicFile.Remove(path);
        }
    }

    /// <summary>The files that hold the users, which exist.</summary>
    public IEnumerable<string> ListFiles() => new[] { UsersPath, LabelsPath, OthersPath }.Where(File.Exists);

    /// <summary>All users, also those on whom the task-adaptive model was trained.</summary>
    public IEnumerable<LampUser> ReadEveryone() => ReadUsers().Concat(ReadOthers());

    Dictionary<string, string> ReadGolds()
    {
        if (!File.Exists(LabelsPath))
        {
            return [];
        }

        using var tokens = new JsonTokenStream(LabelsPath);
        return new LampFileReader(tokens, task).ReadGolds();
    }
}
