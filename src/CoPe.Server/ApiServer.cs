using System.Collections.Concurrent;
using System.Net;
using CoPe.Chat;
using CoPe.Server.Page;
using CoPe.Serving;
using CoPe.Tokens.Pipeline;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CoPe.Server;

/// <summary>What all endpoints share: who may ask what, and how failures are told.</summary>
/// <param name="engine">Answers.</param>
/// <param name="options">What is taken, and from whom.</param>
/// <param name="listener">Where the server listens; null where an application does that.</param>
/// <param name="time">Gives dates.</param>
/// <param name="logger">Where failures are told that only the server's keeper can mend.</param>
sealed partial class ApiServer(
    ServingEngine engine,
    ServerOptions options,
    ListenerOptions? listener,
    TimeProvider time,
    ILogger logger
)
{
    static readonly object ClientKey = new();

    readonly ApiKeyStore? _keys = options.KeyFile is null ? null : new ApiKeyStore(options.KeyFile, time);
    readonly ConcurrentDictionary<string, int> _underWay = new(StringComparer.Ordinal);

    public ServingEngine Engine => engine;

    public IModelCatalog Catalog => engine.Catalog;

    public ServerOptions Options => options;

    public long Now => time.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>Whether it takes requests: not any more once it stops.</summary>
    public bool IsReady { get; set; } = true;

    public static string CreateId(string prefix) => $"{prefix}-{Guid.NewGuid():N}";

    /// <summary>Whether a request without a key is refused.</summary>
    public bool DemandsKeys => _keys is not null && (!IsLoopback || _keys.Read().Count > 0);

    /// <summary>Refuses to be open to others without keys.</summary>
    /// <exception cref="ArgumentException">The address is not a loopback one, and there is no key.</exception>
    public void RequireKeysBeyondLoopback()
    {
        if (listener is { IsLoopback: false } && (_keys is null || _keys.Read().Count == 0))
        {
            throw new ArgumentException(
                $"{listener.Host} can be reached from other machines, and there is no key: make one with "
                    + "'cope serve key add', or listen on 127.0.0.1."
            );
        }
    }

    bool IsLoopback => listener is { IsLoopback: true };

    /// <summary>Lets a request through to its endpoint, or refuses it.</summary>
    public async Task HandleAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            RefuseForeignPages(context);
            var client = Identify(context);
            context.Items[ClientKey] = client;
            using var place = TakePlace(client?.Id ?? context.Connection.RemoteIpAddress?.ToString() ?? "");
            await next(context).ConfigureAwait(false);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer any more.
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            await Explain(error).WriteAsync(context).ConfigureAwait(false);
        }
    }

    /// <summary>A failure as the client is told of it; what only the server's keeper can mend is logged.</summary>
    public ApiException Explain(Exception error)
    {
        var known = ApiException.From(error);
        if (known is null || known.Status >= StatusCodes.Status500InternalServerError)
        {
            LogFailed(logger, error);
        }

        return known
            ?? new ApiException(
                StatusCodes.Status500InternalServerError,
                "server_error",
                "The server failed; its log says why."
            );
    }

    /// <summary>
    /// On a loopback address anything that runs in a browser could ask, were not the names by which it asks and the
    /// page that it comes from looked at.
    /// </summary>
    void RefuseForeignPages(HttpContext context)
    {
        if (!IsLoopback)
        {
            return;
        }

        var origin = context.Request.Headers.Origin.ToString();
        var isOwn = origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var page) && page.IsLoopback);
        var host = context.Request.Host.Host;
        var isLocal = host is "localhost" or "[::1]" || IPAddress.TryParse(host, out _);
        if (!isOwn || !isLocal)
        {
            throw new ApiException(
                StatusCodes.Status403Forbidden,
                "permission_error",
                "Pages of other sites may not ask this server; expected requests to localhost from this machine."
            );
        }
    }

    ApiKey? Identify(HttpContext context)
    {
        if (!DemandsKeys || context.Request.Path.StartsWithSegments("/health") || PageFiles.Has(context.Request))
        {
            return null;
        }

        const string Scheme = "Bearer ";
        var header = context.Request.Headers.Authorization.ToString();
        var key = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? _keys!.Find(header[Scheme.Length..].Trim())
            : null;
        return key
            ?? throw new ApiException(
                StatusCodes.Status401Unauthorized,
                "authentication_error",
                "The key is missing or unknown; expected 'Authorization: Bearer KEY' with one of 'cope serve key add'."
            )
            {
                Code = "invalid_api_key",
            };
    }

    Place TakePlace(string client)
    {
        if (_underWay.AddOrUpdate(client, 1, (_, count) => count + 1) > options.MaxRequestsOfKey)
        {
            new Place(_underWay, client).Dispose();
            throw new ApiException(
                StatusCodes.Status429TooManyRequests,
                "rate_limit_exceeded",
                $"{options.MaxRequestsOfKey} requests are under way, and no more may be at the same time."
            )
            {
                Code = "rate_limit_exceeded",
                RetryAfter = TimeSpan.FromSeconds(1),
            };
        }

        return new Place(_underWay, client);
    }

    /// <summary>Whether whoever asks may ask a model.</summary>
    public static bool Allows(HttpContext context, string model) =>
        context.Items[ClientKey] is not ApiKey key || key.Allows(model);

    /// <summary>Refuses whoever may not ask a model; else says who asks, for fairness.</summary>
    /// <param name="context">The request.</param>
    /// <param name="model">The model asked for.</param>
    /// <param name="user">Whom the request names as its user.</param>
    public static string Authorize(HttpContext context, string model, string? user)
    {
        if (!Allows(context, model))
        {
            throw new ApiException(
                StatusCodes.Status403Forbidden,
                "permission_error",
                "This key may not ask this model; expected one that GET /v1/models lists."
            )
            {
                Param = "model",
                Code = "model_not_allowed",
            };
        }

        return (context.Items[ClientKey] as ApiKey)?.Id ?? user ?? model;
    }

    public int[] EncodeChat(IReadOnlyList<ChatMessage> messages)
    {
        try
        {
            return engine.Encoder.EncodePrompt(messages);
        }
        catch (Exception error) when (error is ChatTemplateException or TokenizerException)
        {
            throw ApiException.Invalid(MessageText.ToOneLine(error.Message), "messages");
        }
    }

    [LoggerMessage(LogLevel.Error, "A request failed")]
    static partial void LogFailed(ILogger logger, Exception error);

    /// <summary>One of the requests that a client may have under way.</summary>
    sealed class Place(ConcurrentDictionary<string, int> underWay, string client) : IDisposable
    {
        public void Dispose()
        {
            var left = underWay.AddOrUpdate(client, 0, (_, count) => count - 1);
            if (left == 0)
            {
                underWay.TryRemove(new(client, 0));
            }
        }
    }
}
