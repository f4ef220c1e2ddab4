using CoPe.Experiments.Data;

namespace CoPe.Experiments.Runs.Erasure;

/// <summary>
/// Looks into everything that lies in a run's folder: before an erasure whether it can be read, after it whether a text
/// of the user is left. Links are not followed, and what is no file is not opened; both are named.
/// </summary>
/// <param name="run">The run.</param>
/// <param name="data">Its data folders, whose files are read as what they are.</param>
/// <param name="cancellation">Ends the search.</param>
sealed class RemainingTexts(RunDirectory run, RunDataFolders data, CancellationToken cancellation)
{
    const int MostNamed = 3;

    readonly Dictionary<string, (long Length, DateTime Changed)> _searched = [];
    readonly SortedSet<string> _notSearched = new(StringComparer.Ordinal);

    /// <summary>What could not be looked into, each with the reason.</summary>
    public IReadOnlyCollection<string> NotSearched => _notSearched;

    /// <summary>Checks that everything can be read, before anything is changed.</summary>
    /// <exception cref="RunException">Something cannot.</exception>
    public void RequireReadable()
    {
        var path = run.Root;
        try
        {
            var linked = new List<string>();
            foreach (var file in ListFiles())
            {
                path = file;
                using var stream = OpenShared(file);
                if (FileKinds.CountNames(file) > 1)
                {
                    linked.Add(run.GetRelativePath(file));
                }
            }

            NoteOtherNames(linked);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RunException(
                $"{path} cannot be read ({error.Message}), and may hold texts of the user: nothing was erased; make it "
                    + "readable or move it out of the run, and repeat the command",
                error
            );
        }
    }

    /// <summary>Searches every file for texts of the users.</summary>
    /// <param name="users">The users.</param>
    /// <param name="advice">What to do with a file that holds a text.</param>
    /// <exception cref="RunException">A file holds one that no other user has.</exception>
    public void ThrowIfAny(IReadOnlyList<UserIdentity> users, string advice)
    {
        var search = new TextSearch(users.SelectMany(user => user.AllTexts), cancellation: cancellation);
        var found = new List<(string File, string Text)>();
        foreach (var file in ListFilesBesideData(users))
        {
            var version = (new FileInfo(file).Length, File.GetLastWriteTimeUtc(file));
            if (_searched.GetValueOrDefault(file) == version)
            {
                continue; // Nothing was found in it, and it is the same.
            }

            var text = search.FindInFile(file, out var isWhole);
            if (!isWhole)
            {
                _notSearched.Add($"{run.GetRelativePath(file)} (unpacks to more than 4 GiB)");
            }

            if ((text ?? search.FindAllIn(run.GetRelativePath(file)).FirstOrDefault()) is { } held)
            {
                found.Add((file, held));
            }
            else
            {
                _searched[file] = version;
            }
        }

        if (found.Count > 0 && FindFirstOfUsersAlone(found) is var (path, own))
        {
            var user = users.First(one => one.AllTexts.Contains(own));
            throw new RunException(
                $"{path} still holds a text of user {user.Id} (\"{own[..Math.Min(40, own.Length)]}\"): {advice}"
            );
        }
    }

    /// <summary>Every file but those of the data, which are read as what they are.</summary>
    public IEnumerable<string> ListFilesBesideData(IReadOnlyList<UserIdentity> users)
    {
        var dataFiles = data.Select(isElsewhereToo: true)
            .SelectMany(files => files.ListFiles())
            .Concat(users.Select(user => run.AddedUser(user.Id)))
            .Select(RealPath.Resolve)
            .ToHashSet();
        return ListFiles().Where(file => !dataFiles.Contains(RealPath.Resolve(file)));
    }

    /// <summary>The users of all data who stay.</summary>
    public IEnumerable<LampUser> ReadRemainingUsers()
    {
        var forgotten = ForgottenUsers.Read(run);
        return data.Select(isElsewhereToo: true)
            .SelectMany(files => files.ReadEveryone().Concat(AddedUsers.Read(run, files.Task)))
            .Where(user => !forgotten.Contains(user.Id));
    }

    /// <summary>The first text that is not also in a text of a user who stays.</summary>
    (string File, string Text)? FindFirstOfUsersAlone(List<(string File, string Text)> found)
    {
        var search = new TextSearch(found.Select(one => one.Text), cancellation: cancellation);
        var shared = ReadRemainingUsers().SelectMany(UserIdentity.ListTexts).SelectMany(search.FindAllIn).ToHashSet();
        var index = found.FindIndex(one => !shared.Contains(one.Text));
        return index < 0 ? null : found[index];
    }

    IEnumerable<string> ListFiles()
    {
        foreach (var (path, kind) in FolderContents.List(run.Root))
        {
            if (kind is FileKind.Link or FileKind.Special)
            {
                var what = kind == FileKind.Link ? "a link" : "a pipe, socket or device";
                _notSearched.Add($"{run.GetRelativePath(path)} ({what})");
            }
            else if (kind == FileKind.File && !IsEmptyLock(path))
            {
                yield return path;
            }
        }
    }

    /// <summary>The lock's file, which this process may hold itself.</summary>
    static bool IsEmptyLock(string path) =>
        Path.GetFileName(path) == Path.GetFileName(new RunDirectory("run").Lock) && new FileInfo(path).Length == 0;

    void NoteOtherNames(List<string> files)
    {
        if (files.Count > 0)
        {
            var more = files.Count > MostNamed ? ", ..." : "";
            _notSearched.Add($"{string.Join(", ", files.Take(MostNamed))}{more} under their other names (hard links)");
        }
    }

    static FileStream OpenShared(string file) => new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
}
