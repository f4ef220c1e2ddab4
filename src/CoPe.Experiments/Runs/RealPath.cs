namespace CoPe.Experiments.Runs;

/// <summary>Where paths really lead, whatever links stand in them.</summary>
static class RealPath
{
    const int MostLinks = 40;

    /// <summary>The absolute path with every link followed; parts that do not exist stay as they are.</summary>
    public static string Resolve(string path)
    {
        var resolved = Path.GetFullPath(path);
        for (var followed = 0; followed < MostLinks; followed++)
        {
            if (FollowFirstLink(resolved) is not { } next)
            {
                break;
            }

            resolved = next;
        }

        return Path.TrimEndingDirectorySeparator(resolved);
    }

    /// <summary>Whether two paths lead to one place.</summary>
    public static bool AreSame(string a, string b) => Resolve(a) == Resolve(b);

    /// <summary>Whether a path leads to a folder or to something within it.</summary>
    public static bool IsWithin(string path, string folder)
    {
        var (inner, outer) = (Resolve(path), Resolve(folder));
        return inner == outer
            || inner.StartsWith(
                Path.TrimEndingDirectorySeparator(outer) + Path.DirectorySeparatorChar,
                StringComparison.Ordinal
            );
    }

    /// <summary>The path with the first of its links replaced by what it names; null where there is none.</summary>
    static string? FollowFirstLink(string path)
    {
        var root = Path.GetPathRoot(path)!;
        var parts = path[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries);
        var reached = root;
        for (var i = 0; i < parts.Length; i++)
        {
            var parent = reached;
            reached = Path.Combine(reached, parts[i]);
            if (new FileInfo(reached).LinkTarget is { } target)
            {
                return Path.GetFullPath(Path.Combine([parent, target, .. parts[(i + 1)..]]));
            }
        }

        return null;
    }
}
