using System.Text.RegularExpressions;

namespace CoPe.Cli.Hub;

/// <summary>
/// A model on the hub: <c>org/name</c>, or <c>org/name@revision</c> with a branch, a tag or a commit.
/// </summary>
/// <param name="Repo">Organization or user, and model.</param>
/// <param name="Revision">Branch, tag or commit.</param>
sealed partial record HubName(string Repo, string Revision)
{
    public const string DefaultRevision = "main";

    /// <summary>The name as it is written on a command line.</summary>
    public override string ToString() => Revision == DefaultRevision ? Repo : $"{Repo}@{Revision}";

    /// <summary>The name's parts, or null for what cannot be a name: a path, for example.</summary>
    public static HubName? Parse(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var (repo, revision) = at < 0 ? (text, DefaultRevision) : (text[..at], text[(at + 1)..]);
        var isName =
            RepoRule().IsMatch(repo)
            && RevisionRule().IsMatch(revision)
            && !$"{repo}/{revision}".Contains("..", StringComparison.Ordinal)
            && !repo.Contains("--", StringComparison.Ordinal);
        return isName ? new(repo, revision) : null;
    }

    /// <summary>Whether a revision is a commit's full hash, which always stands for the same content.</summary>
    public static bool IsCommit(string revision) => CommitRule().IsMatch(revision);

    [GeneratedRegex(@"\A[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}(?<![.-])\z", RegexOptions.ECMAScript)]
    private static partial Regex RepoRule();

    [GeneratedRegex(@"\A[\w][\w./-]{0,199}(?<![./-])\z", RegexOptions.ECMAScript)]
    private static partial Regex RevisionRule();

    [GeneratedRegex(@"\A[0-9a-f]{40}\z")]
    private static partial Regex CommitRule();
}

/// <summary>A file of a model at one commit.</summary>
/// <param name="Model">The model.</param>
/// <param name="Commit">The commit.</param>
/// <param name="Name">The file's name.</param>
/// <param name="Etag">Hash of its content, and its name in the cache.</param>
/// <param name="Size">Its bytes.</param>
sealed record RemoteFile(HubName Model, string Commit, string Name, string Etag, long Size)
{
    public override string ToString() => $"{Name} of {Model}";
}
