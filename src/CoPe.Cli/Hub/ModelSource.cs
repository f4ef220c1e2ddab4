using CoPe.Cli.Display;
using CoPe.Runs;

namespace CoPe.Cli.Hub;

/// <summary>Where a model that a person names lies: a folder, from the current one or beside the program, or a model of the hub in the cache, downloaded where it is not there.</summary>
static class ModelSource
{
    /// <summary>What a person may name, for help texts.</summary>
    public const string Description = "Folder of a model in Hugging Face layout, or org/name[@revision] on the hub.";

    /// <summary>The folder of a model; downloads what is not here.</summary>
    /// <exception cref="RunException">There is no such folder, or the model cannot be had.</exception>
    public static string Find(CommandHost host, string name, bool isQuiet = false) =>
        OnDisk(host, name) ?? Pull(host, OnHub(host, name) ?? throw NoFolder(host, name), isQuiet);

    /// <summary>The folder of a model that is here; nothing is downloaded.</summary>
    /// <exception cref="RunException">It is not here.</exception>
    public static string FindHere(CommandHost host, string name) => OnDisk(host, name)
        ?? throw (OnHub(host, name) is null ? NoFolder(host, name) : new RunException($"model {name} is neither a folder nor in the cache {host.Hub().Cache}: get it with 'cope model pull {name}'"));

    /// <summary>Downloads a model as far as it is not in the cache, and shows how far it is.</summary>
    public static string Pull(CommandHost host, HubName model, bool isQuiet)
    {
        var settings = host.Hub();
        if (settings.IsOffline) throw new RunException($"model {model} is not in the cache {settings.Cache}, and HF_HUB_OFFLINE forbids the network: unset it and run 'cope model pull {model}', or name a folder");
        using var http = new HttpClient(HubClient.Handler()) { Timeout = Timeout.InfiniteTimeSpan };
        using var display = RunDisplay.For(host, new RunRequest { IsQuiet = isQuiet }, [PullProgress.Stage]);
        var pull = new HubPull(http, settings, new HubCache(settings.Cache), display, host.Time, display);
        string folder = "";
        display.Report(new StageEvent(PullProgress.Stage, StageEventKind.Began));
        display.Show(() =>
        {
            try
            {
                folder = pull.Run(model, host.Cancellation).GetAwaiter().GetResult();
                display.Report(new StageEvent(PullProgress.Stage, StageEventKind.Finished));
            }
            catch
            {
                display.Report(new StageEvent(PullProgress.Stage, StageEventKind.Stopped));
                throw;
            }
        });
        return folder;
    }

    static string? OnDisk(CommandHost host, string name) =>
        host.Roots.Select(root => Path.GetFullPath(Path.Combine(root, name))).FirstOrDefault(Directory.Exists)
        ?? (HubName.Parse(name) is { } model ? new HubCache(host.Hub().Cache).Find(model) : null);

    /// <summary>A name on the hub. One that begins with a folder that is here is a path with a mistake in it, not a model to ask the network for.</summary>
    static HubName? OnHub(CommandHost host, string name) =>
        HubName.Parse(name) is { } model && !host.Roots.Any(root => Directory.Exists(Path.Combine(root, name.Split('/')[0]))) ? model : null;

    static RunException NoFolder(CommandHost host, string name) =>
        new($"model folder {name} does not exist (looked in {string.Join(" and ", host.Roots)}): name a model folder in Hugging Face layout, or a model of the hub as org/name");
}
