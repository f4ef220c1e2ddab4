using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Artifacts;
using CoPe.Serving;

namespace CoPe.Server;

/// <summary>
/// The personal models of runs: <c>base</c>; of each run <c>RUN:tam</c> and <c>RUN:USER</c> with the name of its
/// folder; and <c>USER</c> alone where one run has that user. Names become folders as runs encode them, never paths.
/// </summary>
public sealed class RunCatalog : IModelCatalog
{
    /// <summary>Name of the base model.</summary>
    public const string BaseName = "base";

    const string TaskName = "tam";

    readonly IReadOnlyList<ServedRun> _runs;

    /// <summary>The catalog of runs of one base model.</summary>
    /// <param name="runs">Folders of the runs, and their adapters as they are judged now.</param>
    /// <exception cref="RunException">Two runs have the same name, or none is given.</exception>
    internal RunCatalog(params IReadOnlyList<(RunDirectory Folder, RunAdapters Adapters)> runs)
    {
        _runs = [.. runs.Select(run => new ServedRun(run.Folder, run.Adapters))];
        if (_runs.GroupBy(run => run.Name).FirstOrDefault(same => same.Count() > 1) is { } same)
        {
            throw new RunException($"two runs are named {same.Key}; requests could not tell them apart: rename one");
        }
    }

    /// <summary>Opens the adapters of runs of one base model: those that are out of date are not served.</summary>
    /// <param name="folders">Folders of the runs.</param>
    /// <exception cref="RunException">
    /// One holds no run, the erasure of a user was interrupted, or two have the same name.
    /// </exception>
    public static RunCatalog Open(params IReadOnlyList<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        return new RunCatalog([.. folders.Select(folder => (new RunDirectory(folder), RunAdapters.Open(folder)))]);
    }

    /// <inheritdoc/>
    public PersonalModel? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == BaseName)
        {
            return new PersonalModel { Name = name };
        }

        foreach (var run in _runs.Where(run => name.StartsWith(run.Name + ":", StringComparison.Ordinal)))
        {
            var rest = name[(run.Name.Length + 1)..];
            return rest == TaskName ? run.FindTask(name) : run.FindUser(name, rest);
        }

        var found = _runs.Select(run => run.FindUser(name, name)).OfType<PersonalModel>().Take(2).ToList();
        return found.Count == 1 ? found[0] : null;
    }

    /// <inheritdoc/>
    public IEnumerable<string> ListNames()
    {
        var users = _runs.Select(run => (Run: run, Users: run.ListUsers())).ToList();
        var shared = users.SelectMany(one => one.Users).CountBy(user => user).Where(one => one.Value > 1);
        var ambiguous = shared.Select(one => one.Key).ToHashSet(StringComparer.Ordinal);
        return
        [
            BaseName,
            .. _runs.Where(run => run.FindTask("") is not null).Select(run => $"{run.Name}:{TaskName}"),
            .. users.SelectMany(one =>
                one.Users.Select(user => ambiguous.Contains(user) || user == BaseName ? $"{one.Run.Name}:{user}" : user)
            ),
        ];
    }

    /// <summary>A run and its adapters.</summary>
    sealed class ServedRun(RunDirectory folder, RunAdapters adapters)
    {
        readonly Lock _gate = new();
        (DateTime Written, IReadOnlyList<string> Users)? _listed;

        public string Name { get; } = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder.Root));

        /// <summary>The users; a run of many is read through again only once it has other adapters.</summary>
        public IReadOnlyList<string> ListUsers()
        {
            lock (_gate)
            {
                var written = Directory.GetLastWriteTimeUtc(folder.SftAdapters);
                if (_listed?.Written != written)
                {
                    _listed = (written, TrainedUsers.List(folder));
                }

                return _listed.Value.Users;
            }
        }

        public PersonalModel? FindTask(string name) =>
            FindTaskAdapter() is { } adapter
                ? new PersonalModel
                {
                    Name = name,
                    TaskAdapter = adapter,
                    Parent = BaseName,
                }
                : null;

        public PersonalModel? FindUser(string name, string user)
        {
            // A name that is no user's ends here, before anything is listed for a message.
            if (user.Length == 0)
            {
                return null;
            }

            if (!Directory.Exists(folder.DpoAdapter(user)) && !Directory.Exists(folder.SftAdapter(user)))
            {
                return null;
            }

            lock (_gate)
            {
                try
                {
                    var task = adapters.FindTam();
                    return new PersonalModel
                    {
                        Name = name,
                        TaskAdapter = task,
                        UserAdapter = adapters.FindUser(user).Folder,
                        Parent = task is null ? BaseName : $"{Name}:{TaskName}",
                    };
                }
                catch (RunException)
                {
                    return null;
                }
            }
        }

        string? FindTaskAdapter()
        {
            lock (_gate)
            {
                try
                {
                    return adapters.FindTam();
                }
                catch (RunException)
                {
                    return null;
                }
            }
        }
    }
}
