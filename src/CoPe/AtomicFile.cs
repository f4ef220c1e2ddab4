using System.Text;

namespace CoPe;

/// <summary>
/// Writes files so that a reader sees the old content or the new, never a part, also after a loss of power: to a
/// temporary file, flushed to the disk, then renamed, and the folder flushed. A missing folder is created.
/// </summary>
static class AtomicFile
{
    /// <summary>The ending of temporary files and folders.</summary>
    public const string TemporarySuffix = ".part";

    static readonly AsyncLocal<Action<string>?> Watcher = new();

    /// <summary>
    /// Called before every file operation of this flow of control, with its name: a test throws here to fail the N-th
    /// one.
    /// </summary>
    public static Action<string>? BeforeOperation
    {
        get => Watcher.Value;
        set => Watcher.Value = value;
    }

    /// <summary>
    /// Where a file or folder is written before it is renamed; a process that was killed may leave it.
    /// </summary>
    public static string GetAside(string path) => Path.TrimEndingDirectorySeparator(path) + TemporarySuffix;

    /// <summary>Writes a text in UTF-8.</summary>
    public static void WriteText(string path, string text) => WriteBytes(path, Encoding.UTF8.GetBytes(text));

    /// <summary>
    /// Writes what <paramref name="write"/> puts into the writer, in UTF-8, lines ended by a newline.
    /// </summary>
    public static void WriteText(string path, Action<TextWriter> write) =>
        Write(
            path,
            stream =>
            {
                ArgumentNullException.ThrowIfNull(write);
                using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
                write(writer);
            }
        );

    /// <summary>Writes lines in UTF-8, each ended by a newline.</summary>
    public static void WriteLines(string path, IEnumerable<string> lines) =>
        WriteText(
            path,
            writer =>
            {
                foreach (var line in lines)
                {
                    writer.WriteLine(line);
                }
            }
        );

    /// <summary>Writes bytes.</summary>
    public static void WriteBytes(string path, byte[] bytes) => Write(path, stream => stream.Write(bytes));

    /// <summary>
    /// Writes what <paramref name="write"/> puts into the stream. When it throws, the old file stays and the temporary
    /// one is removed.
    /// </summary>
    /// <exception cref="IOException">The disk has failed or is full.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        CreateFolder(GetParent(path)!);
        var temporaryFile = GetAside(path);
        try
        {
            NotifyBefore("create", path);
            using (var stream = new FileStream(temporaryFile, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                write(stream);
                NotifyBefore("flush", path);
                DiskSync.Flush(stream);
            }

            NotifyBefore("rename", path);
            File.Move(temporaryFile, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporaryFile);
            throw;
        }
        FlushParent(path);
    }

    /// <summary>
    /// Fills a temporary folder and renames it into place, so that it is there whole or not at all. An older folder of
    /// that name is removed first.
    /// </summary>
    public static void WriteFolder(string path, Action<string> fill)
    {
        ArgumentNullException.ThrowIfNull(fill);
        var temporaryFolder = GetAside(path);
        DeleteFolder(temporaryFolder);
        CreateFolder(temporaryFolder);
        try
        {
            fill(temporaryFolder);
            NotifyBefore("rename", path);
            DeleteFolder(path);
            Directory.Move(temporaryFolder, path);
        }
        catch
        {
            DeleteFolder(temporaryFolder);
            throw;
        }
        FlushParent(path);
    }

    /// <summary>
    /// Creates a folder and those above it, where they are missing, and flushes those that got a new one.
    /// </summary>
    public static void CreateFolder(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }
        GuardedFolders.Check(path);
        if (GetParent(path) is { } parent)
        {
            CreateFolder(parent);
        }
        Directory.CreateDirectory(path);
        FlushParent(path);
    }

    /// <summary>Removes a file or folder, if it is there; of a link the link, not what it leads to.</summary>
    public static void Remove(string path)
    {
        NotifyBefore("remove", path);
        var isLink = new FileInfo(path).LinkTarget is not null;
        if (!isLink && !Path.Exists(path))
        {
            return;
        }
        if (!isLink)
        {
            DeleteFolder(path);
        }
        if (isLink || File.Exists(path))
        {
            File.Delete(path);
        }
        FlushParent(path);
    }

    /// <summary>
    /// Renames a file or folder within a file system, so that it is at one place or the other. What lies at the new
    /// place is removed first; the folder around it is created.
    /// </summary>
    public static void Move(string from, string to)
    {
        CreateFolder(GetParent(to)!);
        NotifyBefore("move", from);
        DeleteFolder(to);
        if (Directory.Exists(from))
        {
            File.Delete(to);
            Directory.Move(from, to);
        }
        else
        {
            File.Move(from, to, overwrite: true);
        }
        FlushParent(to);
        FlushParent(from);
    }

    /// <summary>Copies a file, so that the copy is there whole or not at all.</summary>
    public static void Copy(string from, string to) =>
        Write(
            to,
            stream =>
            {
                using var source = File.OpenRead(from);
                source.CopyTo(stream);
            }
        );

    /// <summary>
    /// Asks whether a folder may be written (<see cref="GuardedFolders"/>) and tells a test that a file operation
    /// follows, for those who write without this class.
    /// </summary>
    public static void NotifyBefore(string operation, string path)
    {
        GuardedFolders.Check(path);
        Watcher.Value?.Invoke($"{operation} {path}");
    }

    static string? GetParent(string path) =>
        Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    static void FlushParent(string path)
    {
        NotifyBefore("flush the folder of", path);
        if (GetParent(path) is { } parent)
        {
            DiskSync.FlushFolder(parent);
        }
    }

    static void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }
}
