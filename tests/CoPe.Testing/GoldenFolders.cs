using System.Runtime.CompilerServices;

namespace CoPe.Testing;

/// <summary>Where golden numbers lie: the committed ones, then the folder named by COPE_GOLDENS.</summary>
public static class GoldenFolders
{
    static readonly string Committed = Path.Combine(Path.GetDirectoryName(ThisFile())!, "Goldens");

    /// <summary>The folders of one layout, the committed one first.</summary>
    public static IEnumerable<string> Roots()
    {
        yield return Committed;
        if (Environment.GetEnvironmentVariable("COPE_GOLDENS") is not { Length: > 0 } other)
        {
            yield break;
        }

        if (!Directory.Exists(other))
        {
            throw new DirectoryNotFoundException($"COPE_GOLDENS names {other}, which is no folder.");
        }

        yield return other;
    }

    /// <summary>Files or folders of a kind in every root, for example <c>("forward", "*.safetensors")</c>.</summary>
    public static IEnumerable<string> Entries(string kind, string pattern) =>
        Roots()
            .Select(root => Path.Combine(root, kind))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFileSystemEntries(folder, pattern).Order(StringComparer.Ordinal));

    static string ThisFile([CallerFilePath] string path = "") => path;
}
