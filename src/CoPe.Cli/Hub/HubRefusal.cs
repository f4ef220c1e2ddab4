using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using CoPe.Experiments.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>The hub's reason for a refusal, and what to do about it.</summary>
static class HubRefusal
{
    const int MaxReasonLength = 300;

    /// <summary>Whether the same request may be answered later.</summary>
    public static bool IsTransient(HttpStatusCode status) =>
        status
            is HttpStatusCode.RequestTimeout
                or HttpStatusCode.TooManyRequests
                or >= HttpStatusCode.InternalServerError;

    /// <summary>The refusal as an exception; one that may pass is a <see cref="HubBusyException"/>.</summary>
    public static async Task<Exception> CreateException(
        HttpResponseMessage response,
        HubName name,
        HubSettings settings,
        CancellationToken cancellation
    )
    {
        var reason = await ReadReason(response, cancellation).ConfigureAwait(false);
        if (settings.Token is { } token)
        {
            reason = reason.Replace(token, "(token)", StringComparison.Ordinal);
        }

        if (IsTransient(response.StatusCode))
        {
            return new HubBusyException(
                $"status {(int)response.StatusCode}{(reason.Length > 0 ? ": " + reason : "")}",
                response
            );
        }

        var said =
            reason.Length > 0
                ? $" ({settings.Endpoint.Host} says: {reason.TrimEnd('.')})"
                : $" (status {(int)response.StatusCode})";
        return new RunException(Explain(response, FindHeader(response, "X-Error-Code"), name, settings, said));
    }

    static string Explain(HttpResponseMessage response, string? code, HubName name, HubSettings settings, string said)
    {
        var page = new Uri(settings.Endpoint, name.Repo);
        var hasToken = settings.Token is not null;
        var isDenied = response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;
        return code switch
        {
            "GatedRepo" when hasToken =>
                $"{name.Repo} is gated, and the account of the token from {settings.TokenSource} has no access{said}: ask for it at {page}, and give the token the right to read gated models",
            "GatedRepo" =>
                $"{name.Repo} is gated{said}: ask for access at {page}, then put a token of that account into {settings.TokenSource}",
            "RevisionNotFound" =>
                $"{name.Repo} has no revision '{name.Revision}'{said}: the branches and tags are at {page}/tree/main",
            "EntryNotFound" => $"{name} has no such file{said}: the files are at {page}/tree/main",
            "RepoNotFound" when !hasToken =>
                $"the hub has no model {name.Repo}, or it is private{said}: check the spelling; for a private model put a token into {settings.TokenSource}",
            "RepoNotFound" =>
                $"the hub has no model {name.Repo}, or the token from {settings.TokenSource} may not see it{said}: check the spelling, and that the token's account has access",
            _ when isDenied && hasToken =>
                $"the hub refuses {name.Repo} to the token from {settings.TokenSource}{said}: make a new token with the right to read models, or take the old one away",
            _ when isDenied =>
                $"the hub refuses {name.Repo} without a token{said}: check the spelling; for a private or gated model put a token into {settings.TokenSource}",
            _ when response.StatusCode == HttpStatusCode.NotFound =>
                $"the hub has no model {name.Repo} or no revision '{name.Revision}' of it{said}: check the spelling",
            _ => $"the hub refuses {name}{said}",
        };
    }

    static async Task<string> ReadReason(HttpResponseMessage response, CancellationToken cancellation)
    {
        var reason = FindHeader(response, "X-Error-Message") ?? "";
        if (
            reason.Length == 0
            && response.Content.Headers.ContentLength is > 0 and < 65536
            && response.Content.Headers.ContentType?.MediaType is "application/json" or "text/plain"
        )
        {
            reason = ReadErrorField(await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false));
        }

        reason = string.Concat(reason.Select(letter => char.IsControl(letter) ? ' ' : letter)).Trim();
        return reason.Length <= MaxReasonLength ? reason : reason[..MaxReasonLength] + "...";
    }

    static string ReadErrorField(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return
                json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("error", out var error)
                && error.ValueKind == JsonValueKind.String
                ? error.GetString()!
                : "";
        }
        catch (JsonException)
        {
            return text;
        }
    }

    static string? FindHeader(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}

/// <summary>A refusal that may pass, with the wait that the server asks for.</summary>
sealed partial class HubBusyException : HttpRequestException
{
    public HubBusyException(string message, HttpResponseMessage response)
        : base(message, null, response.StatusCode) =>
        RetryAfter = ReadRetryAfter(response.StatusCode, response.Headers);

    /// <summary>
    /// How long to wait, from <c>Retry-After</c>, or else from the hub's <c>RateLimit</c> where that is used up; null:
    /// the server does not say.
    /// </summary>
    public TimeSpan? RetryAfter { get; }

    static TimeSpan? ReadRetryAfter(HttpStatusCode status, HttpResponseHeaders headers)
    {
        if (headers.RetryAfter is { Delta: { } delta })
        {
            return delta;
        }
        // A moment is told by the server's clock, which need not be ours.
        if (headers.RetryAfter is { Date: { } moment } && headers.Date is { } now)
        {
            return moment > now ? moment - now : TimeSpan.Zero;
        }

        return
            status == HttpStatusCode.TooManyRequests
            && headers.TryGetValues("RateLimit", out var limits)
            && RateLimitReset().Match(string.Join(',', limits)) is { Success: true } reset
            && double.TryParse(reset.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            && seconds < TimeSpan.MaxValue.TotalSeconds
            ? TimeSpan.FromSeconds(seconds + 1)
            : null;
    }

    /// <summary>Seconds until the window ends, as in <c>"api";r=0;t=55</c>.</summary>
    [GeneratedRegex(@";\s*t=(\d{1,9})\b")]
    private static partial Regex RateLimitReset();
}

/// <summary>Asks again, more slowly each time, where the network or the hub fails.</summary>
sealed class HubRetries(HubSettings settings, TimeProvider time, ILogger log)
{
    static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(30);

    /// <summary>The answer of the first attempt that has one.</summary>
    public async Task<T> Retry<T>(string what, Func<Task<T>> ask, CancellationToken cancellation)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await ask().ConfigureAwait(false);
            }
            catch (HttpRequestException error)
            {
                await WaitBeforeRetry(what, failures, error, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits before the next attempt, as long as the server asks for or longer each time.</summary>
    /// <exception cref="RunException">
    /// There have been enough, or the server asks for more patience than there is.
    /// </exception>
    public async Task WaitBeforeRetry(
        string what,
        int failures,
        HttpRequestException trouble,
        CancellationToken cancellation
    )
    {
        const string Kept = "What came is kept: run the same command again and it goes on from there";
        if (failures >= settings.MaxAttempts)
        {
            throw new RunException(
                $"{what}: {failures} attempts at {settings.Endpoint.Host} failed, last with: {trouble.Message}. {Kept}"
            );
        }

        var delay = TimeSpan.FromTicks(Math.Min(MaxDelay.Ticks, settings.InitialDelay.Ticks << (failures - 1)));
        if ((trouble as HubBusyException)?.RetryAfter is { } asked)
        {
            if (asked > settings.MaxRetryAfter)
            {
                throw new RunException(
                    $"{what}: {settings.Endpoint.Host} asks to come back in {asked.TotalSeconds:0} s ({trouble.Message}). {Kept}"
                );
            }

            if (asked > delay)
            {
                delay = asked;
                log.LogInformation(
                    "{What}: {Trouble}; the hub asks to wait {Delay:0} s",
                    what,
                    trouble.Message,
                    delay.TotalSeconds
                );
            }
        }
        log.LogDebug("{What}: {Trouble}; again in {Delay} s", what, trouble.Message, delay.TotalSeconds);
        await Task.Delay(delay, time, cancellation).ConfigureAwait(false);
    }
}
