using System.ComponentModel.DataAnnotations;
using System.Net;
using CoPe.Decoding;

namespace CoPe.Server;

/// <summary>What the API takes, and from whom.</summary>
public sealed record ServerOptions
{
    /// <summary>How tokens are chosen where a request does not say so.</summary>
    public DecodingOptions Decoding { get; init; } = new();

    /// <summary>Most bytes of a request's body.</summary>
    [Range(1L, long.MaxValue)]
    public long MaxBodyBytes
    {
        get;
        init => field = OptionGuard.Check(typeof(ServerOptions), value);
    } = 4 << 20;

    /// <summary>Most answers to one prompt.</summary>
    [Range(1, int.MaxValue)]
    public int MaxChoices
    {
        get;
        init => field = OptionGuard.Check(typeof(ServerOptions), value);
    } = 16;

    /// <summary>Most prompts in one request.</summary>
    [Range(1, int.MaxValue)]
    public int MaxPrompts
    {
        get;
        init => field = OptionGuard.Check(typeof(ServerOptions), value);
    } = 128;

    /// <summary>Most tokens of a prompt; a longer one is refused. By default the model's context decides.</summary>
    [Range(1, int.MaxValue)]
    public int MaxPromptTokens
    {
        get;
        init => field = OptionGuard.Check(typeof(ServerOptions), value);
    } = int.MaxValue;

    /// <summary>
    /// Most tokens of an answer: a request for more is refused, one that says nothing gets so many. By default the
    /// model's context decides.
    /// </summary>
    [Range(1, int.MaxValue)]
    public int MaxAnswerTokens
    {
        get;
        init => field = OptionGuard.Check(typeof(ServerOptions), value);
    } = int.MaxValue;

    /// <summary>Most requests of a key, or without keys of an address, at the same time.</summary>
    [Range(1, int.MaxValue)]
    public int MaxRequestsOfKey
    {
        get;
        init => field = OptionGuard.Check(typeof(ServerOptions), value);
    } = 1024;

    /// <summary>How long a stream may be silent before a comment says that it lives.</summary>
    internal TimeSpan PingAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// File of the keys, as <c>cope serve key add --keys FILE</c> makes it: whoever shows none of them is refused. Null
    /// leaves it to the application who may ask.
    /// </summary>
    public string? KeyFile { get; init; }
}

/// <summary>Where a server of its own listens.</summary>
sealed record ListenerOptions
{
    /// <summary>Where to listen; any other than a loopback address demands keys.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Port; 0 takes a free one.</summary>
    public int Port { get; init; } = 8000;

    /// <summary>How long it waits for answers under way when it stops.</summary>
    public TimeSpan DrainTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether only this machine reaches it.</summary>
    public bool IsLoopback =>
        Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));
}
