using CoPe.Adapters;
using CoPe.Modeling;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Adapters that were made elsewhere and that a recipe names (<c>tam.adapter</c>, <c>users.adapters</c>): checked
/// against the model, and copied into the run as they are.
/// </summary>
/// <param name="workspace">The run.</param>
sealed class ImportedAdapters(RunWorkspace workspace)
{
    const int MaxNamed = 5;

    static readonly string[] FileNames = [AdapterFile.ConfigFileName, AdapterFile.WeightsFileName];

    readonly Lazy<HashSet<string>> _names = new(() =>
        [.. workspace.Dataset.Users.Select(user => RunDirectory.SafeName(user.Id))]
    );

    string TamFolder => workspace.Inputs.TamAdapter!;

    string UsersFolder => workspace.Inputs.UserAdapters!;

    /// <summary>
    /// The files of the task-adaptive model's adapter. Once they are copied their source may go: then the copies, which
    /// are the same, stand for it.
    /// </summary>
    public IEnumerable<InputFile> ListTamFiles() => ListFiles(TamFolder, workspace.Run.TamAdapter);

    /// <summary>Hash of a user's adapter, by the same rule; empty where there is none.</summary>
    public string HashUser(string user)
    {
        var files = ListFiles(FindUserFolder(user), workspace.Run.SftAdapter(user));
        return string.Join(' ', files.Select(file => workspace.Hashes.ComputeHash(file.FullPath)));
    }

    /// <summary>Hash of all that lies in the users' folder; null where the folder is gone.</summary>
    public string? HashSource()
    {
        if (!Directory.Exists(UsersFolder))
        {
            return null;
        }

        var lines = FileNames
            .SelectMany(name => Directory.EnumerateFiles(UsersFolder, name, SearchOption.AllDirectories))
            .Order(StringComparer.Ordinal)
            .Select(file => $"{Path.GetRelativePath(UsersFolder, file)}={workspace.Hashes.ComputeHash(file)}");
        return StableHash.Sha256Hex(string.Join('\n', lines));
    }

    static IEnumerable<InputFile> ListFiles(string source, string copy)
    {
        var folder = Directory.Exists(source) ? source : copy;
        return FileNames
            .Select(name => new InputFile(InputKinds.Adapter, name, Path.Combine(folder, name)))
            .Where(file => File.Exists(file.FullPath));
    }

    /// <summary>Checks the task-adaptive model's adapter against the model.</summary>
    /// <exception cref="RunException">It is not there, or lies where the run would copy it to.</exception>
    /// <exception cref="ModelFileException">It does not fit the model, or is not supported.</exception>
    public void CheckTam()
    {
        RequireFolder(TamFolder, $"tam.adapter is {workspace.Recipe.Tam.Adapter}", workspace.Run.TamAdapter);
        using var bank = ReadChecked(TamFolder);
    }

    /// <summary>Checks the users' adapters against the model, and that every user has one of the same shape.</summary>
    /// <exception cref="RunException">
    /// The folder is not there or lies in the run, users have none, or their shapes differ.
    /// </exception>
    /// <exception cref="ModelFileException">One does not fit the model, or is not supported.</exception>
    public void CheckUsers()
    {
        RequireFolder(UsersFolder, $"users.adapters is {workspace.Recipe.UserAdapters}", workspace.Run.SftAdapters);
        var users = workspace.Dataset.Users.Select(user => user.Id).ToList();
        var missing = users.FindAll(user => !Directory.Exists(FindUserFolder(user)));
        if (missing.Count > 0)
        {
            var more = missing.Count > MaxNamed ? ", ..." : "";
            throw new RunException(
                $"users.adapters: {UsersFolder} has no adapter of {missing.Count} of {users.Count} users "
                    + $"({string.Join(", ", missing.Take(MaxNamed))}{more}): expected a folder for each, "
                    + $"for example {Path.Combine(UsersFolder, RunDirectory.SafeName(missing[0]))}, "
                    + "or limit the users with users.limit"
            );
        }

        if (users.Count == 0)
        {
            return;
        }

        var folders = users.ConvertAll(FindUserFolder);
        using var first = ReadChecked(folders[0]);
        foreach (var folder in folders.Skip(1))
        {
            using var bank = ReadChecked(folder);
            RequireSameShape(folders[0], first, folder, bank);
        }
    }

    /// <summary>Checks the task-adaptive model's adapter and copies it into the run.</summary>
    public void CopyTam()
    {
        CheckTam();
        Copy(TamFolder, workspace.Run.TamAdapter, user: null);
    }

    /// <summary>
    /// Checks the users' adapters and copies those that are not in the run, in place of SFT adapters.
    /// </summary>
    public void CopyUsers(CancellationToken cancellation)
    {
        CheckUsers();
        foreach (var user in workspace.Dataset.Users.Select(user => user.Id))
        {
            cancellation.ThrowIfCancellationRequested();
            if (!Directory.Exists(workspace.Run.SftAdapter(user)))
            {
                Copy(FindUserFolder(user), workspace.Run.SftAdapter(user), user);
            }
        }
    }

    void Copy(string from, string to, string? user) =>
        AtomicFile.WriteFolder(
            to,
            folder =>
            {
                List<string> sources = [.. FileNames.Select(name => Path.Combine(from, name))];
                workspace.Hashes.ReadUnchanged(sources, () => CopyFiles(sources, folder));

                var card = new AdapterCard(workspace.Recipe) { Source = from };
                card.Write(folder, user is null ? AdapterCard.TamFolder : $"sft/{RunDirectory.SafeName(user)}");
            }
        );

    static int CopyFiles(List<string> sources, string folder)
    {
        foreach (var source in sources)
        {
            AtomicFile.Copy(source, Path.Combine(folder, Path.GetFileName(source)));
        }

        return sources.Count;
    }

    AdapterBank ReadChecked(string folder)
    {
        var bank = AdapterFile.Read(folder, workspace.ModelConfig);
        try
        {
            AdapterFile.CheckCopiesOfBase(folder, workspace.ModelConfig, workspace.Inputs.Model);
        }
        catch
        {
            bank.Dispose();
            throw;
        }

        if (bank.FindNonFinite() is { } layer)
        {
            bank.Dispose();
            throw new ModelFileException(
                Path.Combine(folder, AdapterFile.WeightsFileName),
                layer,
                "has weights that are NaN or infinite: the training that made this adapter diverged."
            );
        }

        return bank;
    }

    /// <summary>
    /// By the name that a run gives a user's folder, the id itself where that is a plain name, or the name that a run
    /// of an earlier version gave it, where that is no other user's.
    /// </summary>
    string FindUserFolder(string user)
    {
        var name = RunDirectory.SafeName(user);
        List<string> others = [FormerUserNames.Create(user)];
        if (user is not ("." or "..") && user == Path.GetFileName(user))
        {
            others.Insert(0, user);
        }

        return others
                .Where(other => !_names.Value.Contains(other))
                .Prepend(name)
                .Select(one => Path.Combine(UsersFolder, one))
                .FirstOrDefault(Directory.Exists)
            ?? Path.Combine(UsersFolder, name);
    }

    static void RequireFolder(string folder, string what, string place)
    {
        if (!Directory.Exists(folder))
        {
            throw new RunException(
                $"{what}, and there is no such folder: name a folder with adapters in PEFT's layout"
            );
        }

        if (Path.TrimEndingDirectorySeparator(folder) == place)
        {
            throw new RunException($"{what}, which is where the run itself writes: move it out of the run first");
        }
    }

    static void RequireSameShape(string first, AdapterBank shape, string folder, AdapterBank other)
    {
        try
        {
            shape.ThrowIfDifferentShape(other);
        }
        catch (ArgumentException e)
        {
            throw new RunException(
                $"users.adapters: {folder} does not fit {first}. {e.Message} The users of a run have adapters of one "
                    + "shape"
            );
        }
    }
}
