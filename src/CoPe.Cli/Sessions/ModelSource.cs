using CoPe.Cli.Display;
using CoPe.Cli.Hosting;
using CoPe.Cli.Hub;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Sessions;

/// <summary>
/// Finds the folder of a model: a local one, relative to the working folder or the program's, or one of the hub in the
/// cache, downloaded where it is missing.
/// </summary>
static class ModelSource
{
    /// <summary>What names a model, for help texts.</summary>
    public const string Description = "Folder of a model in Hugging Face layout, or org/name[@revision] on the hub.";

    /// <summary>The folder of a model; downloads what is missing.</summary>
    /// <exception cref="RunException">There is no such folder, or the download fails.</exception>
    public static string Find(CommandHost host, string name, bool isQuiet = false) =>
        FindOnDisk(host, name) ?? Pull(host, ParseHubName(host, name) ?? throw CreateNotFound(host, name), isQuiet);

    /// <summary>The folder of a model that is here; nothing is downloaded.</summary>
    /// <exception cref="RunException">It is not here.</exception>
    public static string FindLocal(CommandHost host, string name)
    {
        if (FindOnDisk(host, name) is { } folder)
        {
            return folder;
        }

        if (ParseHubName(host, name) is null)
        {
            throw CreateNotFound(host, name);
        }

        var cache = host.ReadHubSettings().CacheFolder;
        throw new RunException(
            $"model {name} is neither a folder nor in the cache {cache}: download it with 'cope model pull {name}'"
        );
    }

    /// <summary>Downloads what of a model is not in the cache, with progress shown, and returns its folder.</summary>
    public static string Pull(CommandHost host, HubName model, bool isQuiet)
    {
        var settings = host.ReadHubSettings();
        if (settings.IsOffline)
        {
            throw new RunException(
                $"model {model} is not in the cache {settings.CacheFolder}, and HF_HUB_OFFLINE forbids the network: "
                    + $"unset it and run 'cope model pull {model}', or name a folder"
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

    static string? FindOnDisk(CommandHost host, string name)
    {
        var folders = host.SearchFolders.Select(root => Path.GetFullPath(Path.Combine(root, name)));
        if (folders.FirstOrDefault(Directory.Exists) is { } folder)
        {
            return folder;
        }

        return HubName.Parse(name) is { } model ? new HubCache(host.ReadHubSettings().CacheFolder).Find(model) : null;
    }

    /// <summary>
    /// A name on the hub. One that begins with an existing folder is a mistyped path, not a model to download.
    /// </summary>
    static HubName? ParseHubName(CommandHost host, string name)
    {
        var firstFolder = name.Split('/')[0];
        var isPath = host.SearchFolders.Any(root => Directory.Exists(Path.Combine(root, firstFolder)));
        return isPath ? null : HubName.Parse(name);
    }

    static RunException CreateNotFound(CommandHost host, string name) =>
        new(
            $"model folder {name} does not exist (searched in {string.Join(" and ", host.SearchFolders)}): "
                + "name a model folder in Hugging Face layout, or a model of the hub as org/name"
        );
}
