using System.Diagnostics.Metrics;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace CoPe.Serving;

/// <summary>What an application's serving engine is made of.</summary>
public sealed class CoPeOptions
{
    /// <summary>A model folder in Hugging Face's layout.</summary>
    public string ModelFolder { get; set; } = "";

    /// <summary>The personal models: for users' adapters in one folder, <see cref="AdapterFolders"/>.</summary>
    public IModelCatalog? Catalog { get; set; }

    /// <summary>Limits.</summary>
    public ServingOptions Serving { get; set; } = new();
}

/// <summary>Personal models among an application's services.</summary>
public static class CoPeServices
{
    /// <summary>
    /// Adds the <see cref="ServingEngine"/>, which reads its model when it is first asked for, logs to the
    /// application's loggers and measures with its meters.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Says where model and adapters lie.</param>
    /// <exception cref="ArgumentException">Model or catalog is missing.</exception>
    public static IServiceCollection AddCoPe(this IServiceCollection services, Action<CoPeOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new CoPeOptions();
        configure(options);
        ArgumentException.ThrowIfNullOrEmpty(options.ModelFolder, nameof(CoPeOptions.ModelFolder));
        if (options.Catalog is not { } catalog)
        {
            throw new ArgumentException(
                $"{nameof(CoPeOptions.Catalog)} is not set; expected the personal models, such as "
                    + $"new {nameof(AdapterFolders)}(folder).",
                nameof(configure)
            );
        }

        return services.AddSingleton(provider =>
            ServingEngine.Load(
                options.ModelFolder,
                catalog,
                options.Serving,
                provider.GetService<ILoggerFactory>(),
                provider.GetService<IMeterFactory>()
            )
        );
    }

    /// <summary>Adds an <see cref="IChatClient"/> that answers as one personal model of the engine.</summary>
    /// <param name="services">Services to which <see cref="AddCoPe"/> adds the engine.</param>
    /// <param name="user">Name of the personal model; a request's <c>ModelId</c> names another.</param>
    /// <param name="serviceKey">Key of the client among several; null for the application's only one.</param>
    public static IServiceCollection AddPersonalChatClient(
        this IServiceCollection services,
        string user,
        object? serviceKey = null
    ) =>
        serviceKey is null
            ? services.AddSingleton(provider => provider.GetRequiredService<ServingEngine>().AsChatClient(user))
            : services.AddKeyedSingleton(
                serviceKey,
                (provider, _) => provider.GetRequiredService<ServingEngine>().AsChatClient(user)
            );
}
