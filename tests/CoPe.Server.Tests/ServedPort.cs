using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using CoPe.Serving;
using CoPe.Testing;
using CoPe.Tests.Serving;
using Microsoft.Extensions.Logging;

namespace CoPe.Server.Tests;

/// <summary>A server on a free port, over the embedded model with random users.</summary>
sealed class ServedPort : IAsyncDisposable
{
    readonly HttpClient _http = new();

    ServedPort(ServedModel served, CopeServer server, RecordingLogger log)
    {
        (Served, Server, Log) = (served, server, log);
        _http.BaseAddress = server.Address;
    }

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ServedModel Served { get; }

    public CopeServer Server { get; }

    public RecordingLogger Log { get; }

    public HttpClient Http => _http;

    public static async Task<ServedPort> StartAsync(
        ServerOptions? options = null,
        ServingOptions? serving = null,
        string host = "127.0.0.1"
    )
    {
        var served = new ServedModel("ada", "bob");
        var log = new RecordingLogger();
        var server = await CopeServer.StartAsync(
            (loggers, meters) =>
                new ServingEngine(served.Model, served.Encoder, served.Catalog, serving, loggers, meters),
            options ?? new ServerOptions(),
            new ListenerOptions { Host = host, Port = 0 },
            logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(new RecordingProvider(log)),
            TimeProvider.System
        );
        return new ServedPort(served, server, log);
    }

    public Task<HttpResponseMessage> PostAsync(string path, object body, string? key = null) =>
        SendAsync(HttpMethod.Post, path, JsonContent.Create(body), key);

    public Task<HttpResponseMessage> PostTextAsync(string path, string body) =>
        SendAsync(HttpMethod.Post, path, new StringContent(body, Encoding.UTF8, "application/json"), null);

    public Task<HttpResponseMessage> GetAsync(string path, string? key = null) =>
        SendAsync(HttpMethod.Get, path, null, key);

    async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content, string? key)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (key is not null)
        {
            request.Headers.Authorization = new("Bearer", key);
        }

        return await _http.SendAsync(request, Stop);
    }

    /// <summary>The answer to what succeeds.</summary>
    public async Task<JsonElement> AskAsync(string path, object body)
    {
        using var response = await PostAsync(path, body);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Stop));
        return await ReadAsync(response);
    }

    /// <summary>The events of a stream, without the last, which ends it.</summary>
    public async Task<List<JsonElement>> StreamAsync(string path, object body)
    {
        using var response = await PostAsync(path, body);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        var lines = (await response.Content.ReadAsStringAsync(Stop)).Split('\n');
        return
        [
            .. lines
                .Where(line => line.StartsWith("data: {", StringComparison.Ordinal))
                .Select(line => JsonDocument.Parse(line["data: ".Length..]).RootElement),
        ];
    }

    public static async Task<JsonElement> ReadAsync(HttpResponseMessage response) =>
        JsonDocument.Parse(await response.Content.ReadAsStringAsync(Stop)).RootElement;

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Server.DisposeAsync();
        Served.Dispose();
    }

    sealed class RecordingProvider(ILogger logger) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => logger;

        public void Dispose() { }
    }
}
