using System.Net;
using System.Text.Json;
using CoPe.Runs;

namespace CoPe.Cli.Hub;

/// <summary>The hub's reason for a refusal, and what to do about it.</summary>
static class HubRefusal
{
    const int LongestReason = 300;

    /// <summary>Whether the same request may be answered later.</summary>
    public static bool IsPassing(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    /// <summary>The refusal as an exception; one that may pass is a <see cref="HubBusyException"/>.</summary>
    public static async Task<Exception> Of(HttpResponseMessage response, HubName name, HubSettings settings, CancellationToken cancellation)
    {
        var reason = await Reason(response, cancellation).ConfigureAwait(false);
        if (settings.Token is { } token) reason = reason.Replace(token, "(token)", StringComparison.Ordinal);
        if (IsPassing(response.StatusCode)) return new HubBusyException($"status {(int)response.StatusCode}{(reason.Length > 0 ? ": " + reason : "")}", response);
        var said = reason.Length > 0 ? $" ({settings.Endpoint.Host} says: {reason.TrimEnd('.')})" : $" (status {(int)response.StatusCode})";
        return new RunException(Explain(response, Header(response, "X-Error-Code"), name, settings, said));
    }

    static string Explain(HttpResponseMessage response, string? code, HubName name, HubSettings settings, string said)
    {
        var page = new Uri(settings.Endpoint, name.Repo);
        var hasToken = settings.Token is not null;
        var isDenied = response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;
        return code switch
        {
            "GatedRepo" when hasToken => $"{name.Repo} is gated, and the account of the token from {settings.TokenSource} has no access{said}: ask for it at {page}, and give the token the right to read gated models",
            "GatedRepo" => $"{name.Repo} is gated{said}: ask for access at {page}, then put a token of that account into {settings.TokenSource}",
            "RevisionNotFound" => $"{name.Repo} has no revision '{name.Revision}'{said}: the branches and tags are at {page}/tree/main",
            "EntryNotFound" => $"{name} has no such file{said}: the files are at {page}/tree/main",
            "RepoNotFound" when !hasToken => $"the hub has no model {name.Repo}, or it is private{said}: check the spelling; for a private model put a token into {settings.TokenSource}",
            "RepoNotFound" => $"the hub has no model {name.Repo}, or the token from {settings.TokenSource} may not see it{said}: check the spelling, and that the token's account has access",
            _ when isDenied && hasToken => $"the hub refuses {name.Repo} to the token from {settings.TokenSource}{said}: make a new token with the right to read models, or take the old one away",
            _ when isDenied => $"the hub refuses {name.Repo} without a token{said}: check the spelling; for a private or gated model put a token into {settings.TokenSource}",
            _ when response.StatusCode == HttpStatusCode.NotFound => $"the hub has no model {name.Repo} or no revision '{name.Revision}' of it{said}: check the spelling",
            _ => $"the hub refuses {name}{said}",
        };
    }

    static async Task<string> Reason(HttpResponseMessage response, CancellationToken cancellation)
    {
        var reason = Header(response, "X-Error-Message") ?? "";
        if (reason.Length == 0 && response.Content.Headers.ContentLength is > 0 and < 65536 && response.Content.Headers.ContentType?.MediaType is "application/json" or "text/plain")
            reason = Body(await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false));
        reason = string.Concat(reason.Select(letter => char.IsControl(letter) ? ' ' : letter)).Trim();
        return reason.Length <= LongestReason ? reason : reason[..LongestReason] + "...";
    }

    static string Body(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String ? error.GetString()! : "";
        }
        catch (JsonException)
        {
            return text;
        }
    }

    static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
