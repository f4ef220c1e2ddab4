using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace CoPe.Server;

/// <summary>JSON as this server writes it.</summary>
static class HttpJson
{
    static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string ToText(this JsonNode node) => node.ToJsonString(Options);

    public static async Task WriteJsonAsync(this HttpContext context, JsonNode node)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.WriteAsync(node.ToText(), context.RequestAborted).ConfigureAwait(false);
    }
}

/// <summary>
/// A response that is sent event by event (server-sent events): a comment after each silence, so that nothing between
/// the two ends takes it for dead. Its head is sent with the first event, so that what fails before has its status.
/// </summary>
sealed class EventStream(HttpContext context, TimeSpan pingAfter)
{
    /// <summary>The elements as they come, with a comment in every silence.</summary>
    public async IAsyncEnumerable<T> ReadAsync<T>(
        IAsyncEnumerable<T> elements,
        [EnumeratorCancellation] CancellationToken cancellation
    )
    {
        await using var reader = elements.GetAsyncEnumerator(cancellation);
        var next = Task.FromResult(false);
        try
        {
            while (true)
            {
                next = reader.MoveNextAsync().AsTask();
                while (!next.IsCompleted && !await HasCome(next, cancellation).ConfigureAwait(false))
                {
                    await WriteAsync(": ping\n\n").ConfigureAwait(false);
                }

                if (!await next.ConfigureAwait(false))
                {
                    yield break;
                }

                yield return reader.Current;
            }
        }
        finally
        {
            // Elements that are still awaited cannot be disposed of.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task<bool> HasCome(Task next, CancellationToken cancellation) =>
        await Task.WhenAny(next, Task.Delay(pingAfter, cancellation)).ConfigureAwait(false) == next;

    /// <summary>Sends one event.</summary>
    /// <param name="data">What it says.</param>
    /// <param name="name">Its name; null for none.</param>
    public Task SendAsync(JsonNode data, string? name = null) =>
        WriteAsync($"{(name is null ? "" : $"event: {name}\n")}data: {data.ToText()}\n\n");

    /// <summary>Says that nothing follows, as OpenAI's API does.</summary>
    public Task EndAsync() => WriteAsync("data: [DONE]\n\n");

    /// <summary>
    /// Says what went wrong and breaks the connection off: official clients read the one or notice the other.
    /// </summary>
    public async Task FailAsync(ApiException error)
    {
        await SendAsync(error.ToJson()).ConfigureAwait(false);
        context.Abort();
    }

    async Task WriteAsync(string text)
    {
        var response = context.Response;
        if (!response.HasStarted)
        {
            response.ContentType = "text/event-stream; charset=utf-8";
            response.Headers.CacheControl = "no-cache";
            response.Headers["X-Accel-Buffering"] = "no";
        }

        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), context.RequestAborted).ConfigureAwait(false);
        await response.Body.FlushAsync(context.RequestAborted).ConfigureAwait(false);
    }
}
