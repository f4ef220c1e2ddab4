namespace CoPe.Experiments.Runs;

/// <summary>Something in a folder.</summary>
/// <param name="FullPath">Where it lies.</param>
/// <param name="Kind">What it is.</param>
readonly record struct FolderEntry(string FullPath, FileKind Kind);

/// <summary>Lists what lies in a folder without following links or opening anything.</summary>
static class FolderContents
{
    /// <summary>Everything at any depth, in order; what links lead to is not in the folder.</summary>
    /// <exception cref="IOException">A folder cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A folder cannot be read.</exception>
    public static IEnumerable<FolderEntry> List(string folder)
    {
        var pending = new Stack<string>([folder]);
        while (pending.TryPop(out var next))
        {
            foreach (var path in Directory.GetFileSystemEntries(next).Order(StringComparer.Ordinal))
            {
                var kind = FileKinds.Find(path);
                yield return new(path, kind);
                if (kind == FileKind.Folder)
                {
                    pending.Push(path);
                }
            }
        }
    }
}
