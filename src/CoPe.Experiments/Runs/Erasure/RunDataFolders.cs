using System.Text.Json;
using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Runs.Erasure;

/// <summary>
/// The data folders of a run: the one that it reads, wherever it lies, and the one in the run's own folder, which is
/// the run's whatever it reads.
/// </summary>
sealed class RunDataFolders
{
    readonly RunDirectory _run;

    /// <summary>Finds them; nothing is read yet but the task file.</summary>
    public RunDataFolders(StageContext context)
    {
        _run = context.Run;
        var (inputs, hasOwn) = (context.Inputs, Directory.Exists(_run.Data));
        if (inputs.Missing.HasFlag(InputKinds.Data))
        {
            Missing = inputs.Data;
        }

        if (inputs.Missing.HasFlag(InputKinds.Task))
        {
            Missing ??= hasOwn ? _run.Data : null;
            return;
        }

        var task = TaskFile.Read(inputs.TaskPath).Task;
        Main = Missing is null ? new(inputs.Data, task) : null;
        var own = hasOwn ? LampFiles.FindTaskFolder(_run.Data, task.Name) : null;
        if (own is not null && (Main is null || !RealPath.AreSame(Main.Folder, own)))
        {
            InRun = new(own, task);
        }
    }

    /// <summary>A folder that cannot be looked into; null where all can.</summary>
    public string? Missing { get; }

    /// <summary>The data that the run reads; null where their folder is missing.</summary>
    public UserDataFiles? Main { get; }

    /// <summary>Other data in the run's own folder, which it does not read now; null where there are none.</summary>
    public UserDataFiles? InRun { get; }

    /// <summary>Those that users are erased from.</summary>
    /// <param name="isElsewhereToo">Also where they lie outside the run's folder.</param>
    public IEnumerable<UserDataFiles> Select(bool isElsewhereToo) =>
        ((UserDataFiles?[])[Main, InRun]).OfType<UserDataFiles>().Where(data => isElsewhereToo || IsInRun(data));

    /// <summary>
    /// Folders of other tasks beside the data in the run's own folder that have test users of some ids, and those of
    /// which that cannot be read (null). Whether these are the same people, only a person can say.
    /// </summary>
    public IEnumerable<(string Folder, string? Id)> FindInOtherTasks(IReadOnlySet<string> ids)
    {
        if (!Directory.Exists(_run.Data))
        {
            yield break;
        }

        var read = Select(isElsewhereToo: true).Select(data => RealPath.Resolve(data.Folder)).ToHashSet();
        foreach (var folder in Directory.EnumerateDirectories(_run.Data).Order(StringComparer.Ordinal))
        {
            var users = Path.Combine(folder, LampFiles.UsersFile);
            if (
                FileKinds.IsReadable(users)
                && RealPath.IsWithin(users, _run.Root)
                && !read.Contains(RealPath.Resolve(folder))
            )
            {
                foreach (var id in ReadIds(users).Where(id => id is null || ids.Contains(id)).Distinct())
                {
                    yield return (folder, id);
                }
            }
        }
    }

    /// <summary>The ids of a file's users; a null at the end where it cannot be read so far.</summary>
    static List<string?> ReadIds(string users)
    {
        var ids = new List<string?>();
        try
        {
            ids.AddRange(
                new JsonArrayFile(users, field: null)
                    .ReadEntries()
                    .Select(user => RecordedLine.ReadField(user.Span, "user_id"))
                    .Where(id => id is not null)
            );
        }
        catch (Exception error) when (error is DataFileException or JsonException or InvalidOperationException)
        {
            ids.Add(null);
        }

        return ids;
    }

    /// <summary>Whether data really lie in the run's folder, whatever links lead there.</summary>
    public bool IsInRun(UserDataFiles data) => RealPath.IsWithin(data.Folder, _run.Root);
}
