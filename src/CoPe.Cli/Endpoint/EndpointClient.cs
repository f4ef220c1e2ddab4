using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using CoPe.Decoding;
using CoPe.Negatives;
using CoPe.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Endpoint;

/// <summary>Asks an endpoint for answers to one prompt, again and more slowly where it is down, slow, busy or answers with something else.</summary>
sealed class EndpointClient(HttpClient http, EndpointOptions options, TimeProvider time, ILogger log)
{
    static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);

    /// <summary>Requests sent, those sent again among them.</summary>
    public EndpointUsage Usage { get; } = new();

    /// <summary>Up to <paramref name="count"/> answers to an item's prompt.</summary>
    /// <exception cref="RunException">The endpoint refuses the request, or every attempt failed.</exception>
    public async Task<IReadOnlyList<string>> Ask(WordedItem item, int count, int seed, DecodingOptions decoding, CancellationToken cancellation)
    {
        var body = Body(item, count, seed, decoding);
        for (var attempt = 1; ; attempt++)
        {
            var (reply, trouble, wait) = await Try(body, cancellation).ConfigureAwait(false);
            if (reply is not null)
            {
                Usage.Add(reply);
                return reply.Texts;
            }
            if (attempt == options.Attempts)
                throw new RunException($"endpoint {options.Url} failed {attempt} times, last with: {trouble}; what was drawn is kept, run the same command again when it is up");
            var delay = wait ?? TimeSpan.FromTicks(Math.Min(LongestDelay.Ticks, options.FirstDelay.Ticks << (attempt - 1)));
            log.LogDebug("endpoint: {Trouble}; attempt {Next} of {All} in {Delay} s", trouble, attempt + 1, options.Attempts, delay.TotalSeconds);
            Usage.Retried();
            await Task.Delay(delay, time, cancellation).ConfigureAwait(false);
        }
    }

    async Task<(EndpointReply? Reply, string Trouble, TimeSpan? Wait)> Try(string body, CancellationToken cancellation)
    {
        using var deadline = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Address()) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            if (options.Key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.Key);
            using var response = await http.SendAsync(request, either.Token).ConfigureAwait(false);
            var text = await response.Content.ReadAsStringAsync(either.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
                return EndpointReply.Parse(text) is { } reply ? (reply, "", null) : (null, $"a reply that is no completion: {Begin(text)}", null);
            var status = $"status {(int)response.StatusCode}: {Begin(text)}";
            if (!IsPassing(response.StatusCode)) throw new RunException($"endpoint {options.Url} refuses the request for model '{options.Model}' with {status}");
            return (null, status, WaitAskedFor(response));
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            return (null, $"no answer within {options.Timeout.TotalSeconds:0} s", null);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
            return (null, error.Message, null);
        }
    }

    Uri Address() => new($"{options.Url.AbsoluteUri.TrimEnd('/')}/{(options.Api == EndpointApi.Chat ? "chat/completions" : "completions")}");

    string Body(WordedItem item, int count, int seed, DecodingOptions decoding)
    {
        var body = new JsonObject
        {
            ["model"] = options.Model, ["n"] = count, ["seed"] = seed, ["max_tokens"] = decoding.MaxNewTokens, ["temperature"] = decoding.Temperature, ["top_p"] = decoding.TopP,
        };
        if (options.Api == EndpointApi.Completions) body["prompt"] = new JsonArray([.. item.Item.Prompt.Select(id => (JsonNode)id)]);
        else body["messages"] = new JsonArray([.. item.Messages.Select(message => new JsonObject { ["role"] = message.Role, ["content"] = message.Content })]);
        return body.ToJsonString();
    }

    static bool IsPassing(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    TimeSpan? WaitAskedFor(HttpResponseMessage response)
    {
        var asked = response.Headers.RetryAfter?.Delta ?? response.Headers.RetryAfter?.Date - time.GetUtcNow();
        return asked is { } wait && wait > TimeSpan.Zero ? wait < LongestDelay ? wait : LongestDelay : null;
    }

    static string Begin(string text) => text.Length <= 200 ? text : text[..200] + "...";
}
