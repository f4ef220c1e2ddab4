using System.Net;
using CoPe.Server.Page;
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
/// A process of its own for <see cref="ServerEndpoints.MapCoPe"/>: the API with health, metrics and the page behind one
/// port.
/// </summary>
sealed class CopeServer : IAsyncDisposable
{
    readonly WebApplication _application;
    readonly PrometheusMetrics _metrics;
    readonly TimeSpan _drainTime;

    CopeServer(WebApplication application, PrometheusMetrics metrics, TimeSpan drainTime)
    {
        (_application, _metrics, _drainTime) = (application, metrics, drainTime);
    }

    internal ServingEngine Engine => Api.Engine;

    ApiServer Api => _application.Services.GetRequiredService<ApiServer>();

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
    /// <param name="options">What it takes, and from whom.</param>
    /// <param name="listener">Where it listens.</param>
    /// <param name="configureLogging">Where it logs; no message holds a user's text.</param>
    /// <param name="time">Gives dates.</param>
    /// <exception cref="ArgumentException">The address is none, or demands keys and there are none.</exception>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<CopeServer> StartAsync(
        Func<ILoggerFactory, System.Diagnostics.Metrics.IMeterFactory, ServingEngine> createEngine,
        ServerOptions options,
        ListenerOptions listener,
        Action<ILoggingBuilder> configureLogging,
        TimeProvider time
    )
    {
        ArgumentNullException.ThrowIfNull(createEngine);
        ArgumentNullException.ThrowIfNull(options);
        var metrics = new PrometheusMetrics();
        var builder = CreateBuilder(listener, configureLogging);
        builder
            .Services.AddSingleton(services => createEngine(services.GetRequiredService<ILoggerFactory>(), metrics))
            .AddSingleton(listener)
            .AddSingleton(time)
            .AddCoPeServer(options);
        var application = builder.Build();
        var server = new CopeServer(application, metrics, listener.DrainTime);
        try
        {
            server.Api.RequireKeysBeyondLoopback();
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

    static WebApplicationBuilder CreateBuilder(ListenerOptions listener, Action<ILoggingBuilder> configureLogging)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        // The framework's own messages name addresses and headers of requests.
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        // What keeps it from starting is thrown, too, and told once.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        configureLogging(builder.Logging);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            if (listener.Host == "localhost")
            {
                kestrel.ListenLocalhost(listener.Port);
            }
            else
            {
                kestrel.Listen(IPAddress.Parse(listener.Host), listener.Port);
            }
        });
        return builder;
    }

    void MapEndpoints()
    {
        // What is at no address of the API is guarded as well.
        _application.Use(Api.HandleAsync);
        _application.UseRouting();
        ServerEndpoints.MapApi(_application, Api);
        _application.MapGet("/health/live", context => context.Response.WriteAsync("live\n"));
        _application.MapGet("/health/ready", ShowReadyAsync);
        _application.MapGet("/metrics", ShowMetricsAsync);
        _application.MapGet("/page/settings", context => PageSettings.ShowAsync(context, Api));
        PageFiles.Map(_application);
        _application.MapFallback(context =>
            throw new ApiException(
                StatusCodes.Status404NotFound,
                "invalid_request_error",
                "There is nothing at this address."
            )
        );
    }

    async Task ShowReadyAsync(HttpContext context)
    {
        context.Response.StatusCode = Api.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await context.Response.WriteAsync(Api.IsReady ? "ready\n" : "draining\n").ConfigureAwait(false);
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
        Api.IsReady = false;
        using var draining = new CancellationTokenSource(_drainTime);
        await Engine.StopAsync(draining.Token).ConfigureAwait(false);
        await _application.StopAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync().ConfigureAwait(false);
        _metrics.Dispose();
    }
}
