using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>
/// The cache that Hugging Face's tools share: a folder a model, with <c>blobs/ETAG</c>, <c>snapshots/COMMIT/FILE</c>
/// that link to them, <c>refs/REVISION</c> that hold a commit,
/// and empty files <c>.no_exist/COMMIT/FILE</c> for what a commit does not have.
/// Where links cannot be made, the files themselves stand in the snapshots.
/// </summary>
/// <param name="root">The cache's folder.</param>
/// <param name="makeLink">Makes a symbolic link at a path to a target; throws where that cannot be done.</param>
sealed class HubCache(string root, Action<string, string>? makeLink = null)
{
    readonly Action<string, string> _makeLink = makeLink ?? ((path, target) => File.CreateSymbolicLink(path, target));

    public string Root { get; } = root;

    /// <summary>Folder of a snapshot.</summary>
    public string SnapshotFolder(string repo, string commit) => Path.Combine(RepoFolder(repo), "snapshots", commit);

    /// <summary>A file's content, by its hash.</summary>
    public string BlobPath(string repo, string etag) => Path.Combine(RepoFolder(repo), "blobs", etag);

    /// <summary>What is held while a blob, or something else of a model, is made.</summary>
    public string LockPath(string repo, string what) => Path.Combine(Root, ".locks", FolderName(repo), what + ".lock");

    /// <summary>The commit that a revision stood for when it was last asked about; null if it never was.</summary>
    public string? FindCommit(HubName name)
    {
        if (HubName.IsCommit(name.Revision))
        {
            return name.Revision;
        }

        var file = RefPath(name);
        return File.Exists(file) && File.ReadAllText(file).Trim() is var commit && HubName.IsCommit(commit)
            ? commit
            : null;
    }

    /// <summary>Remembers what commit a branch or tag stands for.</summary>
    public void SaveRef(HubName name, string commit)
    {
        if (name.Revision != commit && FindCommit(name) != commit)
        {
            AtomicFile.WriteText(RefPath(name), commit);
        }
    }

    /// <summary>
    /// Notes files that a commit does not have, as Python's tools do, so that nobody asks the hub for them again.
    /// </summary>
    public void MarkAbsent(string repo, string commit, IEnumerable<string> files)
    {
        foreach (var file in files)
        {
            var marker = HubFiles.AbsentMarker(SnapshotFolder(repo, commit), file);
            Directory.CreateDirectory(Path.GetDirectoryName(marker)!);
            using (File.Open(marker, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite)) { }
        }
    }

    /// <summary>The model's folder if it is here whole, else null.</summary>
    public string? Find(HubName name) =>
        FindCommit(name) is { } commit
        && SnapshotFolder(name.Repo, commit) is var folder
        && Directory.Exists(folder)
        && HubFiles.FindMissing(folder) is null
            ? folder
            : null;

    /// <summary>
    /// Puts a blob into a snapshot: a relative link, or else the file itself, moved where it is new and copied where
    /// other snapshots may link to it.
    /// </summary>
    public void AddToSnapshot(string blob, string path, bool isNew)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            if (new FileInfo(path).LinkTarget is not null)
            {
                File.Delete(path); // it leads nowhere, or it would not be made anew
            }

            _makeLink(path, Path.GetRelativePath(Path.GetDirectoryName(path)!, blob));
        }
        catch (Exception error)
            when (error is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            if (File.Exists(path))
            {
                return; // another process was faster
            }

            if (isNew)
            {
                File.Move(blob, path);
            }
            else
            {
                AtomicFile.Write(
                    path,
                    stream =>
                    {
                        using var source = File.OpenRead(blob);
                        source.CopyTo(stream);
                    }
                );
            }
        }
    }

    string RefPath(HubName name) => Path.Combine(RepoFolder(name.Repo), "refs", Path.Combine(name.Revision.Split('/')));

    string RepoFolder(string repo) => Path.Combine(Root, FolderName(repo));

    static string FolderName(string repo) => "models--" + repo.Replace("/", "--", StringComparison.Ordinal);
}

/// <summary>
/// A file that one process at a time may hold open, Python's tools among them: on Unix both take it by flock.
/// </summary>
sealed class FileLock : IDisposable
{
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    readonly FileStream _stream;

    FileLock(FileStream stream) => _stream = stream;

    /// <summary>Waits until the lock is free and takes it.</summary>
    public static async Task<FileLock> Acquire(
        string path,
        TimeProvider time,
        ILogger log,
        CancellationToken cancellation
    )
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException) when (File.Exists(path))
            {
                if (tries == 20)
                {
                    log.LogInformation("another process is downloading the same file; waiting for it");
                }

                await Task.Delay(PollInterval, time, cancellation).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => _stream.Dispose();
}
