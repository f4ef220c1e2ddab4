using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Decoding;
using CoPe.Experiments.Negatives;
using CoPe.Experiments.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Endpoint;

/// <summary>
/// Requests completions of one prompt from an endpoint, and retries with exponential back-off while it is down, slow,
/// busy, or replies with something else.
/// </summary>
sealed class EndpointClient(HttpClient http, EndpointOptions options, TimeProvider time, ILogger log)
{
    static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(1);

    /// <summary>Requests and tokens so far, retries included.</summary>
    public EndpointUsage Usage { get; } = new();

    /// <summary>Up to <paramref name="count"/> answers to an item's prompt.</summary>
    /// <exception cref="RunException">The endpoint refuses the request, or every attempt failed.</exception>
    public async Task<IReadOnlyList<string>> RequestCompletions(
        CandidateRequest item,
        int count,
        int seed,
        DecodingOptions decoding,
        CancellationToken cancellation
    )
    {
        var body = CreateBody(item, count, seed, decoding);
        for (var attempt = 1; ; attempt++)
        {
            var result = await TrySend(body, cancellation).ConfigureAwait(false);
            if (result.Reply is { } reply)
            {
                Usage.Add(reply);
                return reply.Texts;
            }

            if (attempt == options.Attempts)
            {
                throw new RunException(
                    $"endpoint {options.Url} failed {attempt} times, last with: {result.Error}; "
                        + "the candidates so far are kept, run the same command again when it is up"
                );
            }

            var delay = result.RetryAfter ?? BackOff(attempt);
            log.LogDebug(
                "endpoint: {Error}; attempt {Next} of {All} in {Delay} s",
                result.Error,
                attempt + 1,
                options.Attempts,
                delay.TotalSeconds
            );
            Usage.AddRetry();
            await Task.Delay(delay, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The delay after the n-th attempt: doubled each time, up to a minute.</summary>
    TimeSpan BackOff(int attempt) =>
        TimeSpan.FromTicks(Math.Min(MaxDelay.Ticks, options.InitialDelay.Ticks << (attempt - 1)));

    async Task<Attempt> TrySend(string body, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            using var request = CreateRequest(body);
            using var response = await http.SendAsync(request, either.Token).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(either.Token).ConfigureAwait(false);
            return Interpret(response, text);
        }
        catch (OperationCanceledException)
            when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return Attempt.Failed($"no answer within {options.Timeout.TotalSeconds:0} s");
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return Attempt.Failed(error.Message);
        }
    }

    HttpRequestMessage CreateRequest(string body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, CreateAddress())
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        if (options.ApiKey is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.ApiKey);
        }

        return request;
    }

    Attempt Interpret(HttpResponseMessage response, string text)
    {
        if (response.IsSuccessStatusCode)
        {
            return EndpointReply.Parse(text) is { } reply
                ? new(reply, "", null)
                : Attempt.Failed($"a reply that is no completion: {Excerpt(text)}");
        }

        var status = $"status {(int)response.StatusCode}: {Excerpt(text)}";
        return IsTransient(response.StatusCode)
            ? new(null, status, ReadRetryAfter(response))
            : throw new RunException(
                $"endpoint {options.Url} refuses the request for model '{options.Model}' with {status}"
            );
    }

    Uri CreateAddress()
    {
        var path = options.Api == EndpointApi.Chat ? "chat/completions" : "completions";
        return new($"{options.Url.AbsoluteUri.TrimEnd('/')}/{path}");
    }

    string CreateBody(CandidateRequest item, int count, int seed, DecodingOptions decoding)
    {
        var body = new JsonObject
        {
            ["model"] = options.Model,
            ["n"] = count,
            ["seed"] = seed,
            ["max_tokens"] = decoding.MaxNewTokens,
            ["temperature"] = decoding.Temperature,
            ["top_p"] = decoding.TopP,
        };
        if (options.Api == EndpointApi.Completions)
        {
            body["prompt"] = new JsonArray([.. item.Item.Prompt.Select(id => (JsonNode)id)]);
        }
        else
        {
            body["messages"] = new JsonArray([
                .. item.Messages.Select(message => new JsonObject
                {
                    ["role"] = message.Role,
                    ["content"] = message.Content,
                }),
            ]);
        }

        return body.ToJsonString();
    }

    static bool IsTransient(HttpStatusCode status) =>
        status
            is HttpStatusCode.RequestTimeout
                or HttpStatusCode.TooManyRequests
                or >= HttpStatusCode.InternalServerError;

    /// <summary>The delay of the <c>Retry-After</c> header, at most a minute.</summary>
    TimeSpan? ReadRetryAfter(HttpResponseMessage response)
    {
        var header = response.Headers.RetryAfter;
        var delay = header?.Delta ?? header?.Date - time.GetUtcNow();
        if (delay is null || delay <= TimeSpan.Zero)
        {
            return null;
        }

        return delay < MaxDelay ? delay : MaxDelay;
    }

    static string Excerpt(string text) => text.Length <= 200 ? text : text[..200] + "...";

    /// <summary>The outcome of one request: a reply, or an error and the delay that the endpoint wants.</summary>
    sealed record Attempt(EndpointReply? Reply, string Error, TimeSpan? RetryAfter)
    {
        public static Attempt Failed(string error) => new(null, error, null);
    }
}

/// <summary>
/// An endpoint's reply: the texts of its choices, those without text left out, and its token counts.
/// </summary>
sealed record EndpointReply(IReadOnlyList<string> Texts, long PromptTokens, long CompletionTokens)
{
    /// <summary>Reads a reply; null where it is not one.</summary>
    public static EndpointReply? Parse(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (FindProperty(document.RootElement, "choices") is not { ValueKind: JsonValueKind.Array } choices)
            {
                return null;
            }

            var usage = FindProperty(document.RootElement, "usage");
            return new(
                [.. choices.EnumerateArray().Select(ReadText).OfType<string>()],
                ReadCount(usage, "prompt_tokens"),
                ReadCount(usage, "completion_tokens")
            );
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static string? ReadText(JsonElement choice)
    {
        var text = FindProperty(choice, "text") ?? FindProperty(FindProperty(choice, "message"), "content");
        return text is { ValueKind: JsonValueKind.String } found ? found.GetString() : null;
    }

    static long ReadCount(JsonElement? usage, string name) =>
        FindProperty(usage, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var count)
            ? count
            : 0;

    static JsonElement? FindProperty(JsonElement? owner, string name) =>
        owner is { ValueKind: JsonValueKind.Object } found && found.TryGetProperty(name, out var value) ? value : null;
}

/// <summary>The requests to an endpoint and the tokens it counted; safe for concurrent use.</summary>
sealed class EndpointUsage
{
    long _requests;
    long _retries;
    long _promptTokens;
    long _completionTokens;

    public void Add(EndpointReply reply)
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _promptTokens, reply.PromptTokens);
        Interlocked.Add(ref _completionTokens, reply.CompletionTokens);
    }

    public void AddRetry() => Interlocked.Increment(ref _retries);

    public override string ToString() =>
        $"{_requests} answered requests, {_retries} sent again, "
        + $"{_promptTokens} prompt tokens, {_completionTokens} completion tokens";
}
