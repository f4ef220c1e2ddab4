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

        var status = $"status {(int)response.StatusCode}";
        if (IsTransient(response.StatusCode))
        {
            return new HubBusyException(reason.Length > 0 ? $"{status}: {reason}" : status, response);
        }

        var said = reason.Length > 0 ? $"{settings.Endpoint.Host} says: {reason.TrimEnd('.')}" : status;
        return new RunException(Explain(response, name, settings, $" ({said})"));
    }

    static string Explain(HttpResponseMessage response, HubName name, HubSettings settings, string said)
    {
        var hasToken = settings.Token is not null;
        var isDenied = response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden;
        var page = new Uri(settings.Endpoint, name.Repo);
        var source = settings.TokenSource;
        return FindHeader(response, "X-Error-Code") switch
        {
            "GatedRepo" => ExplainGated(name, settings, said),
            "RevisionNotFound" =>
                $"{name.Repo} has no revision '{name.Revision}'{said}: the branches and tags are at {page}/tree/main",
            "EntryNotFound" => $"{name} has no such file{said}: the files are at {page}/tree/main",
            "RepoNotFound" => ExplainNotFound(name, settings, said),
            _ when isDenied && hasToken => $"the hub refuses {name.Repo} to the token from {source}{said}: "
                + "make a new token with the right to read models, or remove the old one",
            _ when isDenied => $"the hub refuses {name.Repo} without a token{said}: "
                + $"check the spelling; for a private or gated model put a token into {source}",
            _ when response.StatusCode == HttpStatusCode.NotFound =>
                $"the hub has no model {name.Repo} or no revision '{name.Revision}' of it{said}: check the spelling",
            _ => $"the hub refuses {name}{said}",
        };
    }

    static string ExplainGated(HubName name, HubSettings settings, string said)
    {
        var page = new Uri(settings.Endpoint, name.Repo);
        return settings.Token is null
            ? $"{name.Repo} is gated{said}: "
                + $"ask for access at {page}, then put a token of that account into {settings.TokenSource}"
            : $"{name.Repo} is gated, and the account of the token from {settings.TokenSource} has no access{said}: "
                + $"ask for it at {page}, and give the token the right to read gated models";
    }

    static string ExplainNotFound(HubName name, HubSettings settings, string said) =>
        settings.Token is null
            ? $"the hub has no model {name.Repo}, or it is private{said}: "
                + $"check the spelling; for a private model put a token into {settings.TokenSource}"
            : $"the hub has no model {name.Repo}, or the token from {settings.TokenSource} may not see it{said}: "
                + "check the spelling, and that the token's account has access";

    static async Task<string> ReadReason(HttpResponseMessage response, CancellationToken cancellation)
    {
        var reason = FindHeader(response, "X-Error-Message") ?? "";
        var content = response.Content.Headers;
        var isReadable =
            content.ContentLength is > 0 and < 65536
            && content.ContentType?.MediaType is "application/json" or "text/plain";
        if (reason.Length == 0 && isReadable)
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
            if (json.RootElement.ValueKind != JsonValueKind.Object)
            {
                return "";
            }

            var hasError = json.RootElement.TryGetProperty("error", out var error);
            return hasError && error.ValueKind == JsonValueKind.String ? error.GetString()! : "";
        }
        catch (JsonException)
        {
            return text;
        }
    }

    static string? FindHeader(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}

/// <summary>A transient refusal, with the delay that the server wants before the next request.</summary>
sealed partial class HubBusyException : HttpRequestException
{
    public HubBusyException(string message, HttpResponseMessage response)
        : base(message, null, response.StatusCode) =>
        RetryAfter = ReadRetryAfter(response.StatusCode, response.Headers);

    /// <summary>
    /// The delay, from <c>Retry-After</c>, or else from the hub's <c>RateLimit</c> where that is used up; null where
    /// the server gives none.
    /// </summary>
    public TimeSpan? RetryAfter { get; }

    static TimeSpan? ReadRetryAfter(HttpStatusCode status, HttpResponseHeaders headers)
    {
        if (headers.RetryAfter is { Delta: { } delta })
        {
            return delta;
        }

        // A date is by the server's clock, which may differ from this one's.
        if (headers.RetryAfter is { Date: { } date } && headers.Date is { } now)
        {
            return date > now ? date - now : TimeSpan.Zero;
        }

        if (status != HttpStatusCode.TooManyRequests || !headers.TryGetValues("RateLimit", out var limits))
        {
            return null;
        }

        var reset = RateLimitReset().Match(string.Join(',', limits));
        return reset.Success
            ? TimeSpan.FromSeconds(int.Parse(reset.Groups[1].Value, CultureInfo.InvariantCulture) + 1)
            : null;
    }

    /// <summary>Seconds until the window ends, as in <c>"api";r=0;t=55</c>.</summary>
    [GeneratedRegex(@";\s*t=(\d{1,9})\b")]
    private static partial Regex RateLimitReset();
}

/// <summary>Retries with exponential back-off where the network or the hub fails.</summary>
sealed class HubRetries(HubSettings settings, TimeProvider time, ILogger log)
{
    static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(30);

    /// <summary>The result of the first attempt that succeeds.</summary>
    public async Task<T> Retry<T>(string what, Func<Task<T>> send, CancellationToken cancellation)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await send().ConfigureAwait(false);
            }
            catch (HttpRequestException error)
            {
                await WaitBeforeRetry(what, failures, error, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits before the next attempt: the server's delay or the back-off, whichever is longer.</summary>
    /// <exception cref="RunException">The attempts are used up, or the server's delay is too long.</exception>
    public async Task WaitBeforeRetry(
        string what,
        int failures,
        HttpRequestException failure,
        CancellationToken cancellation
    )
    {
        const string Kept = "What came is kept: run the same command again to resume";
        var host = settings.Endpoint.Host;
        if (failures >= settings.MaxAttempts)
        {
            throw new RunException(
                $"{what}: {failures} attempts at {host} failed, last with: {failure.Message}. {Kept}"
            );
        }

        var delay = TimeSpan.FromTicks(Math.Min(MaxDelay.Ticks, settings.InitialDelay.Ticks << (failures - 1)));
        var retryAfter = (failure as HubBusyException)?.RetryAfter ?? TimeSpan.Zero;
        if (retryAfter > settings.MaxRetryAfter)
        {
            throw new RunException(
                $"{what}: {host} asks to come back in {retryAfter.TotalSeconds:0} s ({failure.Message}). {Kept}"
            );
        }

        if (retryAfter > delay)
        {
            delay = retryAfter;
            log.LogInformation(
                "{What}: {Failure}; the hub asks to wait {Delay:0} s",
                what,
                failure.Message,
                delay.TotalSeconds
            );
        }

        log.LogDebug("{What}: {Failure}; again in {Delay} s", what, failure.Message, delay.TotalSeconds);
        await Task.Delay(delay, time, cancellation).ConfigureAwait(false);
    }
}
