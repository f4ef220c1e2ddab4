namespace CoPe.Tests.Cli.Hub;

/// <summary>A request as the small hub received it.</summary>
sealed record HubRequest(string Method, string Host, string Path, IReadOnlyDictionary<string, string> Headers)
{
    public string? Authorization => Headers.GetValueOrDefault("authorization");

    public string? Range => Headers.GetValueOrDefault("range");

    public bool IsCdn => Host.StartsWith("127.0.0.1", StringComparison.Ordinal);

    /// <summary>Asks for the bytes of a file, wherever they lie.</summary>
    public bool IsContent(string file) => Method == "GET" && Path.EndsWith("/" + file, StringComparison.Ordinal) && (IsCdn || Path.Contains("/resolve/", StringComparison.Ordinal));
}
