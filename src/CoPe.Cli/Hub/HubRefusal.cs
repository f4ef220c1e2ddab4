using System.Net;
using CoPe.Cli.Http;
using CoPe.Experiments.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>The reason for a refusal, of the hub or of the storage it redirects to, and what to do about it.</summary>
static class HubRefusal
{
    const string DisabledReason = "Access to this resource is disabled";

    /// <summary>
    /// The refusal as an exception. One that may pass is an <see cref="HttpRequestException"/>: the server is busy, or
    /// the storage refuses an address, in the place of which the hub gives a fresh one for the next request.
    /// </summary>
    public static async Task<Exception> CreateException(
        HttpResponseMessage response,
        HubName name,
        HubSettings settings,
        TimeProvider time,
        CancellationToken cancellation
    )
    {
        var text = await ReadReason(response, settings, cancellation).ConfigureAwait(false);
        var reason = ServerMessage.Show(text, settings.Token);
        var status = $"status {(int)response.StatusCode}";
        var host = response.RequestMessage!.RequestUri!;
        if (RetryAdvice.IsTransient(response))
        {
            var message = reason.Length > 0 ? $"{status}: {reason}" : status;
            return new HubBusyException(message, RetryAdvice.ReadDelay(response, time));
        }

        var said = reason.Length > 0 ? $" ({host.Host} says: {reason.TrimEnd('.')})" : $" ({status})";
        return settings.IsHub(host)
            ? new RunException(Explain(response, reason, name, settings, said))
            : new HttpRequestException(
                $"{host.Host}, where the hub keeps the file, refuses the address that the hub gave for it{said}: "
                    + "the clock here may be wrong, or a proxy in between changes addresses",
                null,
                response.StatusCode
            );
    }

    static string Explain(
        HttpResponseMessage response,
        string reason,
        HubName name,
        HubSettings settings,
        string said
    ) =>
        FindHeader(response, "X-Error-Code") switch
        {
            "GatedRepo" => ExplainGated(name, settings, said),
            "RevisionNotFound" => $"{name.Repo} has no revision '{name.Revision}'{said}: "
                + $"the branches and tags are at {FindPage(name, settings)}/tree/main",
            "EntryNotFound" => $"{name} has no such file{said}: the files are at {FindPage(name, settings)}/tree/main",
            "RepoNotFound" => ExplainNotFound(name, settings, said),
            "DisabledRepo" => ExplainDisabled(name, said),
            _ when reason.StartsWith(DisabledReason, StringComparison.Ordinal) => ExplainDisabled(name, said),
            _ => ExplainStatus(response.StatusCode, name, settings, said),
        };

    static string ExplainStatus(HttpStatusCode status, HubName name, HubSettings settings, string said)
    {
        var source = settings.TokenSource;
        return status switch
        {
            HttpStatusCode.Unauthorized when settings.Token is not null =>
                $"the hub does not accept the token from {source}{said}: make a new one, or remove it",
            HttpStatusCode.Forbidden when settings.Token is not null =>
                $"the hub refuses {name.Repo} to the token from {source}{said}: give it the right to read the model",
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
                $"the hub refuses {name.Repo} without a token{said}: "
                    + $"check the spelling; for a private or gated model put a token into {source}",
            HttpStatusCode.NotFound =>
                $"the hub has no model {name.Repo} or no revision '{name.Revision}' of it{said}: check the spelling",
            HttpStatusCode.ProxyAuthenticationRequired =>
                $"a proxy on the way to {settings.Endpoint.Host} wants a user and a password{said}: "
                    + "put them into HTTP_PROXY and HTTPS_PROXY, as in http://user:password@proxy:8080",
            HttpStatusCode.NetworkAuthenticationRequired =>
                $"the network wants to be signed in to{said}: open a page in a browser first",
            HttpStatusCode.UnavailableForLegalReasons =>
                $"the hub does not give {name.Repo} to this place for legal reasons{said}",
            _ => $"the hub refuses {name}{said}",
        };
    }

    static string ExplainGated(HubName name, HubSettings settings, string said)
    {
        var page = FindPage(name, settings);
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

    static string ExplainDisabled(HubName name, string said) =>
        $"the hub has switched {name.Repo} off{said}: no token helps; take another model";

    static Uri FindPage(HubName name, HubSettings settings) => new(settings.Endpoint, name.Repo);

    static async Task<string> ReadReason(
        HttpResponseMessage response,
        HubSettings settings,
        CancellationToken cancellation
    )
    {
        if (FindHeader(response, "X-Error-Message") is { Length: > 0 } reason)
        {
            return reason;
        }

        try
        {
            var body = await ReplyBody
                .Read(response, ServerMessage.MaxBytes, settings.ResponseTimeout, cancellation)
                .ConfigureAwait(false);
            return ServerMessage.Read(body.Bytes).Text;
        }
        catch (HttpRequestException)
        {
            return ""; // The status is known, and says more than that its reason did not come.
        }
    }

    static string? FindHeader(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}

/// <summary>
/// A transient refusal, with the delay that the server wants before the next request, if it says one.
/// </summary>
sealed class HubBusyException(string message, TimeSpan? retryAfter) : HttpRequestException(message)
{
    public TimeSpan? RetryAfter => retryAfter;
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
