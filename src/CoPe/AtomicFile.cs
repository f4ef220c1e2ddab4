using System.Text;

namespace CoPe;

/// <summary>
/// Writes files so that a reader sees the old content or the new, never a part: to a temporary file, flushed to the
/// disk, then renamed. A missing folder is created.
/// </summary>
static class AtomicFile
{
    const string TemporarySuffix = ".part";

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
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        var temporaryFile = path + TemporarySuffix;
        try
        {
            NotifyBefore("create " + path);
            using (var stream = new FileStream(temporaryFile, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                write(stream);
                NotifyBefore("flush " + path);
                stream.Flush(flushToDisk: true);
            }

            NotifyBefore("rename " + path);
            File.Move(temporaryFile, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporaryFile);
            throw;
        }
    }

    /// <summary>
    /// Fills a temporary folder and renames it into place, so that it is there whole or not at all. An older folder of
    /// that name is removed first.
    /// </summary>
    public static void WriteFolder(string path, Action<string> fill)
    {
        ArgumentNullException.ThrowIfNull(fill);
        var temporaryFolder = Path.TrimEndingDirectorySeparator(path) + TemporarySuffix;
        DeleteFolder(temporaryFolder);
        Directory.CreateDirectory(temporaryFolder);
        try
        {
            fill(temporaryFolder);
            NotifyBefore("rename " + path);
            DeleteFolder(path);
            Directory.Move(temporaryFolder, path);
        }
        catch
        {
            DeleteFolder(temporaryFolder);
            throw;
        }
    }

    /// <summary>Removes a file or folder, if it is there.</summary>
    public static void Remove(string path)
    {
        NotifyBefore("remove " + path);
        DeleteFolder(path);
        if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    /// <summary>
    /// Renames a file or folder within a file system, so that it is at one place or the other. What lies at the new
    /// place is removed first; the folder around it is created.
    /// </summary>
    public static void Move(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(to))!);
        NotifyBefore("move " + from);
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

    /// <summary>Tells a test that a file operation follows, for those who write without this class.</summary>
    public static void NotifyBefore(string operation) => Watcher.Value?.Invoke(operation);

    static void DeleteFolder(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }
}
