using System.Text.RegularExpressions;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Hub;

/// <summary>
/// Where the hub is, where its files are kept and who asks: from the variables that Hugging Face's own tools read.
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

    /// <summary>Where the token was found, for messages; without one, where one is looked for.</summary>
    public required string TokenSource { get; init; }

    /// <summary>The network may not be used (<c>HF_HUB_OFFLINE</c>, <c>TRANSFORMERS_OFFLINE</c>).</summary>
    public bool IsOffline { get; init; }

    /// <summary>Attempts that may fail one after the other without a byte more.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>Wait before the second attempt; it doubles.</summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Longest wait that a server may ask for (<c>Retry-After</c>): the hub counts requests in windows of five minutes.
    /// </summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromMinutes(6);

    /// <summary>Longest time without an answer or a byte.</summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Files under way at once.</summary>
    public int MaxParallel { get; init; } = 4;

    /// <summary>The settings of an environment.</summary>
    public static HubSettings ReadFrom(Func<string, string?> variable)
    {
        string? Value(string name) => variable(name) is { Length: > 0 } value ? value : null;
        var user = Value("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string Expand(string path) =>
            Variables()
                .Replace(
                    path.StartsWith('~') ? user + path[1..] : path,
                    match => variable(match.Groups[1].Value) ?? match.Value
                );
        var home = Expand(
            Value("HF_HOME") ?? Path.Combine(Value("XDG_CACHE_HOME") ?? Path.Combine(user, ".cache"), "huggingface")
        );
        var (token, source) = FindToken(Value, Expand(Value("HF_TOKEN_PATH") ?? Path.Combine(home, "token")));
        var endpoint = Value("HF_ENDPOINT") ?? "https://huggingface.co";
        return new()
        {
            Endpoint =
                Uri.TryCreate(endpoint.TrimEnd('/') + "/", UriKind.Absolute, out var uri)
                && uri.Scheme is "http" or "https"
                && uri.UserInfo.Length == 0
                    ? uri
                    : throw new UsageException(
                        $"HF_ENDPOINT is '{endpoint}'; expected an address such as https://huggingface.co"
                    ),
            CacheFolder = Path.GetFullPath(
                Expand(Value("HF_HUB_CACHE") ?? Value("HUGGINGFACE_HUB_CACHE") ?? Path.Combine(home, "hub"))
            ),
            Token = token,
            TokenSource = source,
            IsOffline = IsTrue(Value("HF_HUB_OFFLINE") ?? Value("TRANSFORMERS_OFFLINE")),
        };
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
        var (text, source) =
            value(variable) is { } given ? (given, variable)
            : File.Exists(file) ? (File.ReadAllText(file), file)
            : ("", $"HF_TOKEN, or the file {file}");
        var token = text.Replace("\r", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal).Trim();
        if (token.Any(letter => letter is <= ' ' or > '~'))
        {
            throw new RunException($"the token from {source} holds characters that no token has: set it anew");
        }

        return (token.Length > 0 ? token : null, source);
    }

    static bool IsTrue(string? value) => value?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";

    [GeneratedRegex(@"\$\{?(\w+)\}?")]
    private static partial Regex Variables();
}
