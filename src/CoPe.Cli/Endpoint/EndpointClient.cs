using System.Net;
using System.Net.Http.Headers;
using System.Text;
using CoPe.Cli.Http;
using CoPe.Experiments.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Endpoint;

/// <summary>
/// Requests completions of one prompt from an endpoint, and retries with exponential back-off while it is down, slow,
/// busy, or replies with something else.
/// </summary>
/// <param name="http">Sends requests; it must not follow redirects.</param>
/// <param name="options">The endpoint, and limits.</param>
/// <param name="dialect">What of a request the endpoint does not take.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Is told of retries.</param>
sealed class EndpointClient(
    HttpClient http,
    EndpointOptions options,
    EndpointDialect dialect,
    TimeProvider time,
    ILogger log
)
{
    const int MaxReplyBytes = 8 << 20;
    const int MaxRedirects = 5;
    const string Kept = "the candidates so far are kept, run the same command again";

    static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(1);

    /// <summary>Requests and tokens so far, retries included.</summary>
    public EndpointUsage Usage { get; } = new();

    /// <summary>A handler for the <see cref="HttpClient"/> of this client.</summary>
    public static SocketsHttpHandler CreateHandler() =>
        new()
        {
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Deflate,
        };

    /// <summary>The answers to a request: as many as it asks for, or fewer.</summary>
    /// <exception cref="RunException">The endpoint refuses the request, or every attempt failed.</exception>
    public async Task<IReadOnlyList<EndpointChoice>> RequestCompletions(
        EndpointRequest request,
        CancellationToken cancellation
    )
    {
        var forms = new RequestForms(dialect.Known);
        EndpointRefusal? first = null;
        while (true)
        {
            try
            {
                var body = request.CreateBody(options, forms.Current);
                var reply = await SendUntilAnswered(body, cancellation).ConfigureAwait(false);
                dialect.Learn(forms.Current);
                Usage.Add(reply);
                return reply.Choices;
            }
            catch (EndpointRefusal refusal)
            {
                first ??= refusal;
                if (!refusal.MayBeOfAField || !forms.MoveOn(refusal.Reason))
                {
                    throw new RunException(first.Describe(options), refusal);
                }
            }
        }
    }

    async Task<EndpointReply> SendUntilAnswered(string body, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await Send(body, cancellation).ConfigureAwait(false);
            }
            catch (HttpRequestException error)
            {
                await WaitBeforeRetry(attempt, error, cancellation).ConfigureAwait(false);
            }
        }
    }

    async Task WaitBeforeRetry(int failures, HttpRequestException error, CancellationToken cancellation)
    {
        if (failures >= options.Attempts)
        {
            throw new RunException(
                $"endpoint {options.Address} failed {failures} times, last with: {error.Message}; {Kept} when it is up",
                error
            );
        }

        var retryAfter = (error as EndpointBusyException)?.RetryAfter;
        if (retryAfter > options.MaxRetryAfter)
        {
            throw new RunException(
                $"endpoint {options.Address} asks to come back in {retryAfter.Value.TotalSeconds:0} s "
                    + $"({error.Message}); {Kept} then",
                error
            );
        }

        var delay = retryAfter is { Ticks: > 0 } ? retryAfter.Value : BackOff(failures);
        log.LogDebug(
            "endpoint: {Error}; attempt {Next} of {All} in {Delay} s",
            error.Message,
            failures + 1,
            options.Attempts,
            delay.TotalSeconds
        );
        Usage.AddRetry();
        await Task.Delay(delay, time, cancellation).ConfigureAwait(false);
    }

    /// <summary>The delay after the n-th attempt: doubled each time, up to a minute.</summary>
    TimeSpan BackOff(int attempt) =>
        TimeSpan.FromTicks(Math.Min(MaxDelay.Ticks, options.InitialDelay.Ticks << (attempt - 1)));

    async Task<EndpointReply> Send(string body, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            using var response = await SendFollowingRedirects(body, either.Token).ConfigureAwait(false);
            return await Interpret(response, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
            when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new HttpRequestException($"no answer within {options.Timeout.TotalSeconds:0} s");
        }
    }

    async Task<HttpResponseMessage> SendFollowingRedirects(string body, CancellationToken cancellation)
    {
        var address = options.Address.Join(options.Api == EndpointApi.Chat ? "chat/completions" : "completions");
        for (var redirects = 0; ; redirects++)
        {
            using var request = CreateRequest(address, body);
            try
            {
                var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation)
                    .ConfigureAwait(false);
                if ((int)response.StatusCode is < 300 or >= 400)
                {
                    return response;
                }

                using (response)
                {
                    address = GetRedirectTarget(address, response, redirects);
                }
            }
            catch (HttpRequestException error)
            {
                throw NetworkFailure.Explain(error, address);
            }
        }
    }

    HttpRequestMessage CreateRequest(Uri address, string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.UserAgent.ParseAdd("cope");
        if (options.ApiKey is not { } key)
        {
            return request;
        }

        if (options.Address.HasApiVersion)
        {
            request.Headers.Add("api-key", key);
        }
        else
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        return request;
    }

    /// <summary>
    /// Where the same request may be sent again. Another server than the named one gets neither prompts nor key.
    /// </summary>
    Uri GetRedirectTarget(Uri address, HttpResponseMessage response, int redirects)
    {
        var status = (int)response.StatusCode;
        if (response.Headers.Location is not { } location || !Uri.TryCreate(address, location, out var target))
        {
            throw new RunException(
                $"endpoint {options.Address} redirects with status {status} and without an address: check --endpoint"
            );
        }

        var keepsRequest =
            response.StatusCode is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
            && options.Address.HasSameOrigin(target);
        if (keepsRequest && redirects < MaxRedirects)
        {
            return target;
        }

        var shown = ServerMessage.Show(target.GetLeftPart(UriPartial.Path), options.ApiKey);
        throw new RunException(
            keepsRequest
                ? $"endpoint {options.Address} redirects more than {MaxRedirects} times, last to {shown}"
                : $"endpoint {options.Address} redirects with status {status} to {shown}, where prompts and key are "
                    + "not sent: if it is the right one, name its base address with --endpoint"
        );
    }

    async Task<EndpointReply> Interpret(HttpResponseMessage response, CancellationToken cancellation)
    {
        var isSuccess = response.IsSuccessStatusCode;
        var body = await ReplyBody
            .Read(response, isSuccess ? MaxReplyBytes : ServerMessage.MaxBytes, options.Timeout, cancellation)
            .ConfigureAwait(false);
        if (isSuccess && body.IsCut)
        {
            throw new RunException(
                $"endpoint {options.Address} replies with more than {MaxReplyBytes >> 20} MiB, which no completion "
                    + "has: check --endpoint"
            );
        }

        if (isSuccess && EndpointReply.Parse(body.Bytes) is { } reply)
        {
            return reply;
        }

        var message = ServerMessage.Read(body.Bytes);
        var shown = message.Show(options.ApiKey);
        if (isSuccess)
        {
            throw new HttpRequestException($"a reply that is no completion: {shown}");
        }

        var refusal = new EndpointRefusal(response.StatusCode, message.Code, shown);
        if (refusal.IsOfContent)
        {
            return EndpointReply.WithoutText;
        }

        throw RetryAdvice.IsTransient(response) && !refusal.IsFinal
            ? new EndpointBusyException(refusal.Message, RetryAdvice.ReadDelay(response, time))
            : refusal;
    }
}

/// <summary>An endpoint that is busy or down, and the delay that it wants, if it says one.</summary>
sealed class EndpointBusyException(string message, TimeSpan? retryAfter) : HttpRequestException(message)
{
    public TimeSpan? RetryAfter => retryAfter;
}

/// <summary>The requests to an endpoint and the tokens it counted; safe for concurrent use.</summary>
sealed class EndpointUsage
{
    long _requests;
    long _retries;
    long _unusable;
    long _promptTokens;
    long _completionTokens;

    public void Add(EndpointReply reply)
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _unusable, reply.UnusableChoices);
        Interlocked.Add(ref _promptTokens, reply.PromptTokens);
        Interlocked.Add(ref _completionTokens, reply.CompletionTokens);
    }

    public void AddRetry() => Interlocked.Increment(ref _retries);

    public override string ToString() =>
        $"{_requests} answered requests, {_retries} sent again, {_unusable} choices without text, "
        + $"{_promptTokens} prompt tokens, {_completionTokens} completion tokens";
}
