using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>
/// The cache that Hugging Face's tools share: a folder per model, with <c>blobs/ETAG</c>, links to them at
/// <c>snapshots/COMMIT/FILE</c>, the commit of each revision in <c>refs/REVISION</c>, and empty files
/// <c>.no_exist/COMMIT/FILE</c> for what a commit does not have. Where links cannot be made, the snapshots hold the
/// files themselves.
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

    /// <summary>The lock of a model's part: of a blob, by its ETag, or of the refs.</summary>
    public string LockPath(string repo, string part) => Path.Combine(Root, ".locks", FolderName(repo), part + ".lock");

    /// <summary>The commit that a revision stood for when it was last pulled; null if it never was.</summary>
    public string? FindCommit(HubName name)
    {
        if (HubName.IsCommit(name.Revision))
        {
            return name.Revision;
        }

        var file = RefPath(name);
        if (!File.Exists(file))
        {
            return null;
        }

        var commit = File.ReadAllText(file).Trim();
        return HubName.IsCommit(commit) ? commit : null;
    }

    /// <summary>Records the commit that a branch or tag stands for.</summary>
    public void SaveRef(HubName name, string commit)
    {
        if (name.Revision != commit && FindCommit(name) != commit)
        {
            AtomicFile.WriteText(RefPath(name), commit);
        }
    }

    /// <summary>
    /// Records files that a commit does not have, as Python's tools do, so that no tool requests them again.
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

    /// <summary>The model's folder where it is here and complete, else null.</summary>
    public string? Find(HubName name)
    {
        if (FindCommit(name) is not { } commit)
        {
            return null;
        }

        var folder = SnapshotFolder(name.Repo, commit);
        var isComplete = Directory.Exists(folder) && HubFiles.FindMissing(folder) is null;
        return isComplete ? folder : null;
    }

    /// <summary>
    /// Puts a blob into a snapshot: a relative link, or else the file itself, moved where it is new and copied where
    /// other snapshots may link to it.
    /// </summary>
    public void AddToSnapshot(string blob, string path, bool isNew)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            // A link that is here leads nowhere: a complete file would not be added again.
            if (new FileInfo(path).LinkTarget is not null)
            {
                File.Delete(path);
            }

            _makeLink(path, Path.GetRelativePath(Path.GetDirectoryName(path)!, blob));
        }
        catch (Exception error)
            when (error is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            // Another process may have been faster.
            if (!File.Exists(path))
            {
                AddWithoutLink(blob, path, isNew);
            }
        }
    }

    static void AddWithoutLink(string blob, string path, bool isNew)
    {
        if (isNew)
        {
            File.Move(blob, path);
            return;
        }

        AtomicFile.Write(
            path,
            stream =>
            {
                using var source = File.OpenRead(blob);
                source.CopyTo(stream);
            }
        );
    }

    string RefPath(HubName name) => Path.Combine(RepoFolder(name.Repo), "refs", Path.Combine(name.Revision.Split('/')));

    string RepoFolder(string repo) => Path.Combine(Root, FolderName(repo));

    static string FolderName(string repo) => "models--" + repo.Replace("/", "--", StringComparison.Ordinal);
}

/// <summary>
/// A file that one process at a time may hold open, Python's tools included: on Unix both use flock.
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
