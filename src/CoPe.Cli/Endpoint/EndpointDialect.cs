using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Endpoint;

/// <summary>How a request differs from the one that vLLM takes, for endpoints that refuse one of its fields.</summary>
[Flags]
enum RequestChanges
{
    None = 0,
    WithoutStopTokenIds = 1,
    OneChoice = 2,
    WithoutSeed = 4,
    MaxCompletionTokens = 8,
}

/// <summary>
/// The changes that an endpoint's requests are known to need; what is new of them is said. Safe for concurrent use.
/// </summary>
sealed class EndpointDialect(EndpointOptions options, ILogger log)
{
    readonly Lock _sync = new();

    /// <summary>The changes that requests are known to need.</summary>
    public RequestChanges Known { get; private set; }

    /// <summary>Remembers the changes with which a request was answered.</summary>
    public void Learn(RequestChanges changes)
    {
        RequestChanges news;
        lock (_sync)
        {
            news = changes & ~Known;
            Known |= changes;
        }

        foreach (var change in Enum.GetValues<RequestChanges>())
        {
            if (change != RequestChanges.None && news.HasFlag(change))
            {
                log.LogWarning("endpoint {Address} {Change}", options.Address, Describe(change));
            }
        }
    }

    static string Describe(RequestChanges change) =>
        change switch
        {
            RequestChanges.WithoutStopTokenIds =>
                "does not take stop_token_ids: its answers end where its own configuration says",
            RequestChanges.OneChoice => "gives one choice a request: every candidate is a request of its own",
            RequestChanges.WithoutSeed => "takes no seed: the same command draws other candidates there",
            _ => "takes max_completion_tokens in the place of max_tokens",
        };
}

/// <summary>
/// The forms of one request, until the endpoint takes one. A refusal moves on to the next: the fields that it names are
/// changed, and where it names none, each of those that some endpoint does not take.
/// </summary>
/// <param name="known">The changes to begin with.</param>
sealed partial class RequestForms(RequestChanges known)
{
    static readonly RequestChanges[] Trials =
    [
        RequestChanges.WithoutStopTokenIds,
        RequestChanges.OneChoice,
        RequestChanges.WithoutStopTokenIds | RequestChanges.OneChoice,
        RequestChanges.WithoutStopTokenIds | RequestChanges.OneChoice | RequestChanges.WithoutSeed,
    ];

    readonly HashSet<RequestChanges> _refused = [];
    RequestChanges _needed = known;

    /// <summary>The changes of the form to send.</summary>
    public RequestChanges Current { get; private set; } = known;

    /// <summary>Moves on to the next form after a refusal; false where there is none left.</summary>
    public bool MoveOn(string refusal)
    {
        _refused.Add(Current);
        _needed |= FindNamed(refusal);
        foreach (var form in Trials.Select(trial => _needed | trial).Prepend(_needed))
        {
            if (!_refused.Contains(form))
            {
                Current = form;
                return true;
            }
        }

        return false;
    }

    static RequestChanges FindNamed(string refusal) =>
        (StopTokenIdsField().IsMatch(refusal) ? RequestChanges.WithoutStopTokenIds : 0)
        | (ChoicesField().IsMatch(refusal) ? RequestChanges.OneChoice : 0)
        | (SeedField().IsMatch(refusal) ? RequestChanges.WithoutSeed : 0)
        | (MaxCompletionTokensField().IsMatch(refusal) ? RequestChanges.MaxCompletionTokens : 0);

    [GeneratedRegex(@"\bstop_token_ids\b")]
    private static partial Regex StopTokenIdsField();

    [GeneratedRegex(@"(?<![\w\\])n(?!\w)|\b(choices?|best_of)\b")]
    private static partial Regex ChoicesField();

    [GeneratedRegex(@"\bseed\b")]
    private static partial Regex SeedField();

    [GeneratedRegex(@"\bmax_completion_tokens\b")]
    private static partial Regex MaxCompletionTokensField();
}
