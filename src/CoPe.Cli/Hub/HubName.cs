using System.Text.RegularExpressions;

namespace CoPe.Cli.Hub;

/// <summary>
/// A model on the hub: <c>org/name</c>, or <c>org/name@revision</c> with a branch, a tag or a commit.
/// </summary>
/// <param name="Repo">Organisation or user, and model.</param>
/// <param name="Revision">Branch, tag or commit.</param>
sealed partial record HubName(string Repo, string Revision)
{
    public const string DefaultRevision = "main";

    /// <summary>The name as a person writes it.</summary>
    public override string ToString() => Revision == DefaultRevision ? Repo : $"{Repo}@{Revision}";

    /// <summary>The name's parts, or null for what cannot be a name: a path, for example.</summary>
    public static HubName? Parse(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var (repo, revision) = at < 0 ? (text, DefaultRevision) : (text[..at], text[(at + 1)..]);
        return
            RepoRule().IsMatch(repo)
            && RevisionRule().IsMatch(revision)
            && !$"{repo}/{revision}".Contains("..", StringComparison.Ordinal)
            && !repo.Contains("--", StringComparison.Ordinal)
            ? new(repo, revision)
            : null;
    }

    /// <summary>Whether a revision is a commit's whole hash, which never comes to mean another one.</summary>
    public static bool IsCommit(string revision) => CommitRule().IsMatch(revision);

    [GeneratedRegex(@"\A[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}(?<![.-])\z", RegexOptions.ECMAScript)]
    private static partial Regex RepoRule();

    [GeneratedRegex(@"\A[\w][\w./-]{0,199}(?<![./-])\z", RegexOptions.ECMAScript)]
    private static partial Regex RevisionRule();

    [GeneratedRegex(@"\A[0-9a-f]{40}\z")]
    private static partial Regex CommitRule();
}

/// <summary>A file of a repository at one commit.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Etag">Hash of its content, and its name in the cache.</param>
/// <param name="Size">Its bytes.</param>
sealed record RemoteFile(string Name, string Etag, long Size);
