using System.Text.RegularExpressions;
using CoPe.Cli.Failures;
using CoPe.Cli.Http;

namespace CoPe.Cli.Hub;

/// <summary>
/// Address, cache and access token of the hub, and limits of requests to it; from the environment variables that
/// Hugging Face's own tools read.
/// </summary>
sealed partial record HubSettings
{
    /// <summary>The hub (<c>HF_ENDPOINT</c>).</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>
    /// The cache (<c>HF_HUB_CACHE</c>, or <c>hub</c> in <c>HF_HOME</c>, which is by default <c>huggingface</c> in
    /// <c>XDG_CACHE_HOME</c> or <c>~/.cache</c>).
    /// </summary>
    public required string CacheFolder { get; init; }

    /// <summary>The access token, if there is one. It goes to the hub alone and into no message.</summary>
    public string? Token { get; init; }

    /// <summary>Where the token was found, for messages; without one, where one is expected.</summary>
    public required string TokenSource { get; init; }

    /// <summary>The network may not be used (<c>HF_HUB_OFFLINE</c>, <c>TRANSFORMERS_OFFLINE</c>).</summary>
    public bool IsOffline { get; init; }

    /// <summary>Attempts in a row that may fail without a byte received.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>Delay before the second attempt; doubled before each further one.</summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Longest <c>Retry-After</c> that is waited for: the hub counts requests in windows of five minutes.
    /// </summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromMinutes(6);

    /// <summary>Longest time without a response or a byte.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Downloads at once.</summary>
    public int MaxParallel { get; init; } = 4;

    /// <summary>Whether an address is the hub's own, and not of a server that it redirects to.</summary>
    public bool IsHub(Uri address) =>
        Uri.Compare(
            address,
            Endpoint,
            UriComponents.SchemeAndServer,
            UriFormat.Unescaped,
            StringComparison.OrdinalIgnoreCase
        ) == 0;

    /// <summary>The settings of an environment.</summary>
    public static HubSettings ReadFrom(Func<string, string?> variable)
    {
        string? Value(string name) => variable(name) is { Length: > 0 } value ? value : null;
        var user = Value("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string Expand(string path)
        {
            var absolute = path.StartsWith('~') ? user + path[1..] : path;
            return Variables().Replace(absolute, match => variable(match.Groups[1].Value) ?? match.Value);
        }

        var systemCache = Value("XDG_CACHE_HOME") ?? Path.Combine(user, ".cache");
        var home = Expand(Value("HF_HOME") ?? Path.Combine(systemCache, "huggingface"));
        var cache = Value("HF_HUB_CACHE") ?? Value("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub");
        var (token, source) = FindToken(Value, Expand(Value("HF_TOKEN_PATH") ?? Path.Combine(home, "token")));
        return new()
        {
            Endpoint = ParseEndpoint(Value("HF_ENDPOINT") ?? "https://huggingface.co"),
            CacheFolder = Path.GetFullPath(Expand(cache)),
            Token = token,
            TokenSource = source,
            IsOffline = IsTrue(Value("HF_HUB_OFFLINE") ?? Value("TRANSFORMERS_OFFLINE")),
        };
    }

    static Uri ParseEndpoint(string address)
    {
        var isUri = Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var uri);
        var isUsable = isUri && uri!.Scheme is "http" or "https" && uri!.UserInfo.Length == 0;
        return isUsable
            ? uri!
            : throw new UsageException(
                $"HF_ENDPOINT is '{address}'; expected an address such as https://huggingface.co"
            );
    }

    static (string? Token, string Source) FindToken(Func<string, string?> value, string file)
    {
        if (IsTrue(value("HF_HUB_DISABLE_IMPLICIT_TOKEN")))
        {
            return (null, "HF_TOKEN (not read, as HF_HUB_DISABLE_IMPLICIT_TOKEN is set)");
        }

        var variable =
            value("HF_TOKEN") is null && value("HUGGING_FACE_HUB_TOKEN") is not null
                ? "HUGGING_FACE_HUB_TOKEN"
                : "HF_TOKEN";
        if (value(variable) is { } given)
        {
            return (Secret.Clean(given, variable), variable);
        }

        return File.Exists(file)
            ? (Secret.Clean(File.ReadAllText(file), file), file)
            : (null, $"HF_TOKEN, or the file {file}");
    }

    static bool IsTrue(string? value) => value?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    [GeneratedRegex(@"\$\{?(\w+)\}?")]
    private static partial Regex Variables();
}
