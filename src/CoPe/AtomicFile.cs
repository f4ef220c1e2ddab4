using System.Text;

namespace CoPe;

/// <summary>
/// Writes files so that a reader sees the old content or the new, never a part: aside, flushed to the disk, renamed.
/// Makes the folder where it is missing.
/// </summary>
public static class AtomicFile
{
    static readonly AsyncLocal<Action<string>?> Watcher = new();

    /// <summary>
    /// Called before every file operation of this flow of control, with its name: a test throws here to fail the N-th
    /// one.
    /// </summary>
    internal static Action<string>? BeforeOperation
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
    /// Writes what <paramref name="write"/> puts into the stream. When it throws, the old file stays and nothing is
    /// left aside.
    /// </summary>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var aside = path + ".part";
        try
        {
            NotifyBefore("create " + path);
            using (var stream = new FileStream(aside, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                write(stream);
                NotifyBefore("flush " + path);
                stream.Flush(flushToDisk: true);
            }

            NotifyBefore("rename " + path);
            File.Move(aside, path, overwrite: true);
        }
        catch
        {
            File.Delete(aside);
            throw;
        }
    }

    /// <summary>
    /// Fills a folder aside and renames it into place, so that it is there whole or not at all. An older folder of that
    /// name goes first.
    /// </summary>
    public static void WriteFolder(string path, Action<string> fill)
    {
        ArgumentNullException.ThrowIfNull(fill);
        var aside = Path.TrimEndingDirectorySeparator(path) + ".part";
        if (Directory.Exists(aside))
        {
            Directory.Delete(aside, recursive: true);
        }

        Directory.CreateDirectory(aside);
        try
        {
            fill(aside);
            NotifyBefore("rename " + path);
            if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }

            Directory.Move(aside, path);
        }
        catch
        {
            if (Directory.Exists(aside))
            {
                Directory.Delete(aside, recursive: true);
            }

            throw;
        }
    }

    /// <summary>Removes a file or folder, if it is there.</summary>
    public static void Remove(string path)
    {
        NotifyBefore("remove " + path);
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else if (File.Exists(path))
        {
            File.Delete(path);
        }
    }

    internal static void NotifyBefore(string operation) => Watcher.Value?.Invoke(operation);
}
