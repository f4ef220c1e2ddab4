using System.Collections.Concurrent;

namespace CoPe;

/// <summary>
/// Folders in which this process may write only while something holds, such as that they are still the folders that it
/// began in. <see cref="AtomicFile"/> asks before every operation.
/// </summary>
static class GuardedFolders
{
    static readonly ConcurrentDictionary<string, Action> Guards = new(StringComparer.Ordinal);

    /// <summary>
    /// Has <paramref name="check"/> called before anything is written in a folder, until the result is disposed; what
    /// it throws is thrown to the writer.
    /// </summary>
    public static IDisposable Add(string folder, Action check)
    {
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        Guards[root] = check;
        return new Removal(root);
    }

    /// <summary>Throws where a folder around the path is guarded and its check fails.</summary>
    public static void Check(string path)
    {
        if (Guards.IsEmpty)
        {
            return;
        }

        for (var folder = Path.GetFullPath(path); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Guards.TryGetValue(Path.TrimEndingDirectorySeparator(folder), out var check))
            {
                check();
            }
        }
    }

    sealed class Removal(string root) : IDisposable
    {
        public void Dispose() => Guards.TryRemove(root, out _);
    }
}
