using CoPe.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CoPe.Server;

/// <summary>OpenAI's API for personal models in an ASP.NET Core application of your own.</summary>
/// <example>
/// <code>
/// var builder = WebApplication.CreateBuilder(args);
/// builder.Services.AddCoPe(options =>
/// {
///     options.ModelFolder = "models/cope-tiny";
///     options.Catalog = RunCatalog.Open("runs/demo");
/// });
/// builder.Services.AddCoPeServer(new ServerOptions { KeyFile = "keys.json" });
/// var app = builder.Build();
/// app.MapCoPe();
/// app.Run();
/// </code>
/// </example>
public static class ServerEndpoints
{
    /// <summary>
    /// Adds what <see cref="MapCoPe"/> maps. It asks the application's <see cref="ServingEngine"/>, which
    /// <see cref="CoPeServices.AddCoPe"/> adds.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="options">What the API takes, and from whom; null for the defaults, which ask for no key.</param>
    public static IServiceCollection AddCoPeServer(this IServiceCollection services, ServerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton(provider => new ApiServer(
            provider.GetRequiredService<ServingEngine>(),
            options ?? new ServerOptions(),
            provider.GetService<ListenerOptions>(),
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            provider.GetRequiredService<ILoggerFactory>().CreateLogger<ApiServer>()
        ));
    }

    /// <summary>
    /// Maps <c>v1/chat/completions</c>, <c>v1/completions</c>, <c>v1/responses</c>, <c>v1/models</c>, <c>tokenize</c>
    /// and <c>detokenize</c>. The model is read here, so that what is wrong with it is found before the first request.
    /// </summary>
    /// <param name="endpoints">The application, or a group of it with a prefix or with authorization.</param>
    /// <returns>All of them, for conventions such as <c>RequireAuthorization()</c>.</returns>
    /// <exception cref="InvalidOperationException">
    /// <see cref="AddCoPeServer"/> or <see cref="CoPeServices.AddCoPe"/> was not called.
    /// </exception>
    /// <exception cref="Modeling.ModelFileException">The model cannot be read.</exception>
    /// <exception cref="Tokens.Pipeline.TokenizerException">Its tokenizer cannot, or belongs to another.</exception>
    public static IEndpointConventionBuilder MapCoPe(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var api =
            endpoints.ServiceProvider.GetService<ApiServer>()
            ?? throw new InvalidOperationException(
                $"{nameof(MapCoPe)} found no API among the services; call builder.Services.{nameof(AddCoPeServer)}() "
                    + "before builder.Build()."
            );
        return MapApi(endpoints, api, handle => context => api.HandleAsync(context, handle));
    }

    /// <summary>Maps the API where everything is guarded, or guards each endpoint.</summary>
    internal static RouteGroupBuilder MapApi(
        IEndpointRouteBuilder endpoints,
        ApiServer api,
        Func<RequestDelegate, RequestDelegate>? guard = null
    )
    {
        var group = endpoints.MapGroup("");
        MapPost("v1/chat/completions", ChatCompletions.HandleAsync);
        MapPost("v1/completions", Completions.HandleAsync);
        MapPost("v1/responses", Responses.HandleAsync);
        MapPost("tokenize", ModelEndpoints.TokenizeAsync);
        MapPost("detokenize", ModelEndpoints.DetokenizeAsync);
        MapGet("v1/models", ModelEndpoints.ListAsync);
        MapGet("v1/models/{**id}", ModelEndpoints.ShowAsync);
        return group.WithMetadata(new BodyLimit(api.Options.MaxBodyBytes));

        void MapPost(string path, Func<HttpContext, ApiServer, Task> handle) => group.MapPost(path, Bind(handle));

        void MapGet(string path, Func<HttpContext, ApiServer, Task> handle) => group.MapGet(path, Bind(handle));

        RequestDelegate Bind(Func<HttpContext, ApiServer, Task> handle)
        {
            Task Ask(HttpContext context) => handle(context, api);
            return guard is null ? Ask : guard(Ask);
        }
    }

    /// <summary>Most bytes of a request's body, whatever the server's own limit.</summary>
    sealed record BodyLimit(long Bytes) : IRequestSizeLimitMetadata
    {
        public long? MaxRequestBodySize => Bytes;
    }
}
