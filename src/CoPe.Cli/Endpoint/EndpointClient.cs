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
/// Asks an endpoint for answers to one prompt, again and more slowly where it is down, slow, busy or answers with
/// something else.
/// </summary>
sealed class EndpointClient(HttpClient http, EndpointOptions options, TimeProvider time, ILogger log)
{
    static readonly TimeSpan MaxDelay = TimeSpan.FromMinutes(1);

    /// <summary>Requests sent, those sent again among them.</summary>
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
            var (reply, trouble, wait) = await TrySend(body, cancellation).ConfigureAwait(false);
            if (reply is not null)
            {
                Usage.Add(reply);
                return reply.Texts;
            }
            if (attempt == options.Attempts)
            {
                throw new RunException(
                    $"endpoint {options.Url} failed {attempt} times, last with: {trouble}; what was drawn is kept, run the same command again when it is up"
                );
            }

            var delay =
                wait ?? TimeSpan.FromTicks(Math.Min(MaxDelay.Ticks, options.InitialDelay.Ticks << (attempt - 1)));
            log.LogDebug(
                "endpoint: {Trouble}; attempt {Next} of {All} in {Delay} s",
                trouble,
                attempt + 1,
                options.Attempts,
                delay.TotalSeconds
            );
            Usage.AddRetry();
            await Task.Delay(delay, time, cancellation).ConfigureAwait(false);
        }
    }

    async Task<(EndpointReply? Reply, string Trouble, TimeSpan? Wait)> TrySend(
        string body,
        CancellationToken cancellation
    )
    {
        using var deadline = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, CreateAddress())
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"),
            };
            if (options.ApiKey is not null)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.ApiKey);
            }

            using var response = await http.SendAsync(request, either.Token).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(either.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
            {
                return EndpointReply.Parse(text) is { } reply
                    ? (reply, "", null)
                    : (null, $"a reply that is no completion: {Excerpt(text)}", null);
            }

            var status = $"status {(int)response.StatusCode}: {Excerpt(text)}";
            if (!IsTransient(response.StatusCode))
            {
                throw new RunException(
                    $"endpoint {options.Url} refuses the request for model '{options.Model}' with {status}"
                );
            }

            return (null, status, ReadRetryAfter(response));
        }
        catch (OperationCanceledException)
            when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return (null, $"no answer within {options.Timeout.TotalSeconds:0} s", null);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return (null, error.Message, null);
        }
    }

    Uri CreateAddress() =>
        new(
            $"{options.Url.AbsoluteUri.TrimEnd('/')}/{(options.Api == EndpointApi.Chat ? "chat/completions" : "completions")}"
        );

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

    TimeSpan? ReadRetryAfter(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter?.Delta ?? response.Headers.RetryAfter?.Date - time.GetUtcNow();
        return asked is { } wait && wait > TimeSpan.Zero
            ? wait < MaxDelay
                ? wait
                : MaxDelay
            : null;
    }

    static string Excerpt(string text) => text.Length <= 200 ? text : text[..200] + "...";
}

/// <summary>
/// What an endpoint answered: the texts of its choices, those without text left out, and what it counted.
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

/// <summary>What an endpoint was asked for and counted; safe to add to from many requests at once.</summary>
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
        $"{_requests} answered requests, {_retries} sent again, {_promptTokens} prompt tokens, {_completionTokens} completion tokens";
}
