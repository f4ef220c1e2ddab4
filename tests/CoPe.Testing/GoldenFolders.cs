using System.Runtime.CompilerServices;

namespace CoPe.Testing;

/// <summary>
/// Where golden numbers lie: the committed ones, then the folder named by COPE_GOLDENS, then the additions to it in
/// COPE_GOLDENS_NEXT, or beside it under its name with "-next".
/// </summary>
public static class GoldenFolders
{
    static readonly string Committed = Path.Combine(Path.GetDirectoryName(ThisFile())!, "Goldens");

    /// <summary>The folders of one layout, the committed one first.</summary>
    public static IEnumerable<string> Roots()
    {
        yield return Committed;
        var named = FindNamed("COPE_GOLDENS");
        if (named is not null)
        {
            yield return named;
        }

        var beside = named is null ? null : Path.TrimEndingDirectorySeparator(named) + "-next";
        if ((FindNamed("COPE_GOLDENS_NEXT") ?? beside) is { } additions && Directory.Exists(additions))
        {
            yield return additions;
        }
    }

    static string? FindNamed(string variable)
    {
        if (Environment.GetEnvironmentVariable(variable) is not { Length: > 0 } folder)
        {
            return null;
        }

        return Directory.Exists(folder)
            ? folder
            : throw new DirectoryNotFoundException($"{variable} names {folder}, which is no folder.");
    }

    /// <summary>Files or folders of a kind in every root, for example <c>("forward", "*.safetensors")</c>.</summary>
    public static IEnumerable<string> Entries(string kind, string pattern) =>
        Roots()
            .Select(root => Path.Combine(root, kind))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFileSystemEntries(folder, pattern).Order(StringComparer.Ordinal));

    static string ThisFile([CallerFilePath] string path = "") => path;
}
