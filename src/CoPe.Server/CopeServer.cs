using System.Net;
using CoPe.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CoPe.Server;

/// <summary>
/// Personal models behind one port, with OpenAI's API: chat completions, completions, responses, models; besides,
/// tokenize, health and metrics.
/// </summary>
sealed class CopeServer : IAsyncDisposable
{
    readonly WebApplication _application;
    readonly ServingEngine _engine;
    readonly PrometheusMetrics _metrics;
    readonly ApiServer _api;

    CopeServer(WebApplication application, ServingEngine engine, PrometheusMetrics metrics, ApiServer api)
    {
        (_application, _engine, _metrics, _api) = (application, engine, metrics, api);
    }

    internal ServingEngine Engine => _engine;

    /// <summary>Where it listens, once it is started.</summary>
    public Uri Address =>
        new(
            _application
                .Services.GetRequiredService<IServer>()
                .Features.Get<IServerAddressesFeature>()!
                .Addresses.First()
        );

    /// <summary>Starts a server.</summary>
    /// <param name="createEngine">
    /// Creates its engine, which belongs to the server, with the loggers and meters given.
    /// </param>
    /// <param name="options">Address and limits.</param>
    /// <param name="configureLogging">Where it logs; no message holds a user's text.</param>
    /// <param name="time">Gives dates.</param>
    /// <exception cref="ArgumentException">The address is none, or demands keys and there are none.</exception>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<CopeServer> StartAsync(
        Func<ILoggerFactory, System.Diagnostics.Metrics.IMeterFactory, ServingEngine> createEngine,
        ServerOptions options,
        Action<ILoggingBuilder> configureLogging,
        TimeProvider time
    )
    {
        ArgumentNullException.ThrowIfNull(createEngine);
        ArgumentNullException.ThrowIfNull(options);
        var application = CreateApplication(options, configureLogging);
        var loggers = application.Services.GetRequiredService<ILoggerFactory>();
        var metrics = new PrometheusMetrics();
        var engine = createEngine(loggers, metrics);
        var api = new ApiServer(engine, options, time, loggers.CreateLogger<ApiServer>());
        var server = new CopeServer(application, engine, metrics, api);
        try
        {
            api.RequireKeysBeyondLoopback();
            server.MapEndpoints();
            await application.StartAsync().ConfigureAwait(false);
            return server;
        }
        catch
        {
            await server.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    static WebApplication CreateApplication(ServerOptions options, Action<ILoggingBuilder> configureLogging)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        // The framework's own messages name addresses and headers of requests.
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        configureLogging(builder.Logging);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
            if (options.Host == "localhost")
            {
                kestrel.ListenLocalhost(options.Port);
            }
            else
            {
                kestrel.Listen(IPAddress.Parse(options.Host), options.Port);
            }
        });
        return builder.Build();
    }

    void MapEndpoints()
    {
        _application.Use(_api.HandleAsync);
        _application.UseRouting();
        MapPost("/v1/chat/completions", ChatCompletions.HandleAsync);
        MapPost("/v1/completions", Completions.HandleAsync);
        MapPost("/v1/responses", Responses.HandleAsync);
        MapPost("/tokenize", ModelEndpoints.TokenizeAsync);
        MapPost("/detokenize", ModelEndpoints.DetokenizeAsync);
        _application.MapGet("/v1/models", context => ModelEndpoints.ListAsync(context, _api));
        _application.MapGet("/v1/models/{**id}", context => ModelEndpoints.ShowAsync(context, _api));
        _application.MapGet("/health/live", context => context.Response.WriteAsync("live\n"));
        _application.MapGet("/health/ready", ShowReadyAsync);
        _application.MapGet("/metrics", ShowMetricsAsync);
        _application.MapFallback(context =>
            throw new ApiException(
                StatusCodes.Status404NotFound,
                "invalid_request_error",
                "There is nothing at this address."
            )
        );

        void MapPost(string path, Func<HttpContext, ApiServer, Task> handle) =>
            _application.MapPost(path, context => handle(context, _api));
    }

    async Task ShowReadyAsync(HttpContext context)
    {
        context.Response.StatusCode = _api.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await context.Response.WriteAsync(_api.IsReady ? "ready\n" : "draining\n").ConfigureAwait(false);
    }

    async Task ShowMetricsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.WriteAsync(_metrics.Render()).ConfigureAwait(false);
    }

    /// <summary>
    /// Stops: it is not ready at once and refuses what is new, answers what it has taken, and then closes.
    /// </summary>
    public async Task StopAsync()
    {
        _api.IsReady = false;
        using var draining = new CancellationTokenSource(_api.Options.DrainTime);
        await _engine.StopAsync(draining.Token).ConfigureAwait(false);
        await _application.StopAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
        _metrics.Dispose();
    }
}
