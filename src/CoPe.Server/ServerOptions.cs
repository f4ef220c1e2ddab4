using CoPe.Decoding;

namespace CoPe.Server;

/// <summary>Address and limits of a server.</summary>
sealed record ServerOptions
{
    /// <summary>Where to listen; any other than a loopback address demands keys.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Port; 0 takes a free one.</summary>
    public int Port { get; init; } = 8000;

    /// <summary>How tokens are chosen where a request does not say so.</summary>
    public DecodingOptions Decoding { get; init; } = new();

    /// <summary>Most bytes of a request's body.</summary>
    public long MaxBodyBytes { get; init; } = 4 << 20;

    /// <summary>Most answers to one prompt.</summary>
    public int MaxChoices { get; init; } = 16;

    /// <summary>Most prompts in one request.</summary>
    public int MaxPrompts { get; init; } = 128;

    /// <summary>Most requests of a key, or without keys of an address, at the same time.</summary>
    public int MaxRequestsOfKey { get; init; } = 1024;

    /// <summary>How long a stream may be silent before a comment says that it lives.</summary>
    public TimeSpan PingAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a server that stops waits for answers under way.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>File of the keys; null for none.</summary>
    public string? KeyFile { get; init; }
}
