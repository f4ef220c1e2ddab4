using CoPe.Cli.Display;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Hub;

/// <summary>
/// Where a model that a person names lies: a folder, from the current one or beside the program, or a model of the hub
/// in the cache, downloaded where it is not there.
/// </summary>
static class ModelSource
{
    /// <summary>What a person may name, for help texts.</summary>
    public const string Description = "Folder of a model in Hugging Face layout, or org/name[@revision] on the hub.";

    /// <summary>The folder of a model; downloads what is not here.</summary>
    /// <exception cref="RunException">There is no such folder, or the model cannot be had.</exception>
    public static string Find(CommandHost host, string name, bool isQuiet = false) =>
        FindOnDisk(host, name) ?? Pull(host, ParseHubName(host, name) ?? throw CreateNotFound(host, name), isQuiet);

    /// <summary>The folder of a model that is here; nothing is downloaded.</summary>
    /// <exception cref="RunException">It is not here.</exception>
    public static string FindLocal(CommandHost host, string name) =>
        FindOnDisk(host, name)
        ?? throw (
            ParseHubName(host, name) is null
                ? CreateNotFound(host, name)
                : new RunException(
                    $"model {name} is neither a folder nor in the cache {host.ReadHubSettings().CacheFolder}: get it with 'cope model pull {name}'"
                )
        );

    /// <summary>Downloads a model as far as it is not in the cache, and shows how far it is.</summary>
    public static string Pull(CommandHost host, HubName model, bool isQuiet)
    {
        var settings = host.ReadHubSettings();
        if (settings.IsOffline)
        {
            throw new RunException(
                $"model {model} is not in the cache {settings.CacheFolder}, and HF_HUB_OFFLINE forbids the network: unset it and run 'cope model pull {model}', or name a folder"
            );
        }

        using var http = new HttpClient(HubClient.CreateHandler()) { Timeout = Timeout.InfiniteTimeSpan };
        using var display = RunDisplay.Create(host, new RunRequest { IsQuiet = isQuiet }, [PullProgress.StageName]);
        var pull = new HubPull(http, settings, new HubCache(settings.CacheFolder), display, host.Time, display);
        var folder = "";
        display.Report(new StageEvent(PullProgress.StageName, StageEventKind.Started));
        display.ShowWhile(() =>
        {
            try
            {
                folder = pull.Pull(model, host.Cancellation).GetAwaiter().GetResult();
                display.Report(new StageEvent(PullProgress.StageName, StageEventKind.Finished));
            }
            catch
            {
                display.Report(new StageEvent(PullProgress.StageName, StageEventKind.Stopped));
                throw;
            }
        });
        return folder;
    }

    static string? FindOnDisk(CommandHost host, string name) =>
        host.SearchFolders.Select(root => Path.GetFullPath(Path.Combine(root, name))).FirstOrDefault(Directory.Exists)
        ?? (HubName.Parse(name) is { } model ? new HubCache(host.ReadHubSettings().CacheFolder).Find(model) : null);

    /// <summary>
    /// A name on the hub. One that begins with a folder that is here is a path with a mistake in it, not a model to ask
    /// the network for.
    /// </summary>
    static HubName? ParseHubName(CommandHost host, string name) =>
        HubName.Parse(name) is { } model
        && !host.SearchFolders.Any(root => Directory.Exists(Path.Combine(root, name.Split('/')[0])))
            ? model
            : null;

    static RunException CreateNotFound(CommandHost host, string name) =>
        new(
            $"model folder {name} does not exist (looked in {string.Join(" and ", host.SearchFolders)}): name a model folder in Hugging Face layout, or a model of the hub as org/name"
        );
}
