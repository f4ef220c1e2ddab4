namespace CoPe.Cli.Hub;

/// <summary>A file of a repository at one commit.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Etag">Hash of its content, and its name in the cache.</param>
/// <param name="Size">Its bytes.</param>
sealed record RemoteFile(string Name, string Etag, long Size);
