using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using CoPe.Server;
using CoPe.Serving;
using Microsoft.Extensions.Logging;

namespace CoPe.Benchmarks.Serve;

/// <summary>What a client saw of one answer.</summary>
/// <param name="Tokens">Tokens of it.</param>
/// <param name="FirstToken">Time until the first.</param>
/// <param name="Text">What was read; null where nobody looks.</param>
readonly record struct ClientAnswer(int Tokens, TimeSpan FirstToken, string? Text);

/// <summary>
/// Clients of one server in this process, each on a connection of its own, with token ids for prompts.
/// </summary>
sealed class StreamingClient : IAsyncDisposable
{
    readonly CopeServer _server;
    readonly HttpClient _http;

    StreamingClient(CopeServer server)
    {
        _server = server;
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = int.MaxValue })
        {
            BaseAddress = server.Address,
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Starts a server on a free port.</summary>
    /// <param name="users">Whom it serves.</param>
    /// <param name="serving">Its engine's limits.</param>
    public static async Task<StreamingClient> StartAsync(ServedUsers users, ServingOptions serving) =>
        new(
            await CopeServer
                .StartAsync(
                    (loggers, meters) =>
                        new ServingEngine(users.Model, users.Encoder, users.Catalog, serving, loggers, meters),
                    new ServerOptions { MaxRequestsOfKey = int.MaxValue },
                    new ListenerOptions { Port = 0 },
                    logging => logging.SetMinimumLevel(LogLevel.Warning),
                    TimeProvider.System
                )
                .ConfigureAwait(false)
        );

    /// <summary>Reads an answer to its end.</summary>
    /// <param name="request">A request as the engine takes it.</param>
    /// <param name="keepsText">Whether to look at the text.</param>
    /// <param name="readNext">Called after each token: waits, or cancels.</param>
    /// <param name="cancellation">Hangs up.</param>
    public async Task<ClientAnswer> AskAsync(
        ServingRequest request,
        bool keepsText,
        Func<int, Task>? readNext,
        CancellationToken cancellation
    )
    {
        var began = Stopwatch.GetTimestamp();
        using var response = await SendAsync(request, cancellation).ConfigureAwait(false);
        using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        using var reader = new StreamReader(stream);
        var (tokens, first, text) = (0, TimeSpan.Zero, keepsText ? "" : null);
        while (await reader.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
        {
            if (!line.StartsWith("data: {", StringComparison.Ordinal))
            {
                continue;
            }

            first = tokens++ == 0 ? Stopwatch.GetElapsedTime(began) : first;
            if (keepsText)
            {
                using var json = JsonDocument.Parse(line.AsMemory("data: ".Length));
                text += json.RootElement.GetProperty("choices")[0].GetProperty("text").GetString();
            }

            if (readNext is not null)
            {
                await readNext(tokens).ConfigureAwait(false);
            }
        }

        return new(tokens, first, text);
    }

    async Task<HttpResponseMessage> SendAsync(ServingRequest request, CancellationToken cancellation)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(
                new
                {
                    model = request.Model,
                    prompt = request.Prompt,
                    max_tokens = request.Options.MaxNewTokens,
                    contrast = request.Options.Contrast,
                    stream = true,
                }
            ),
        };
        var response = await _http
            .SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellation)
            .ConfigureAwait(false);
        return response.EnsureSuccessStatusCode();
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _server.DisposeAsync().ConfigureAwait(false);
    }
}
