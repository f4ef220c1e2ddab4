using CoPe.Chat;
using CoPe.Cli.Display;
using CoPe.Cli.Hosting;
using CoPe.Cli.Hub;
using CoPe.Decoding;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Sessions;

/// <summary>
/// Finds the folder or GGUF file of a model: a local one, relative to the working folder or the program's, or one of
/// the hub in the cache, downloaded where it is missing.
/// </summary>
static class ModelSource
{
    /// <summary>Says where the files of a model disagree, and which of them counts.</summary>
    /// <param name="host">Takes the messages.</param>
    /// <param name="name">The model's name.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="encoder">Its tokenizer.</param>
    public static void WarnAboutConflicts(CommandHost host, string name, string folder, ConversationEncoder encoder)
    {
        foreach (var conflict in ModelFileConflicts.Find(folder, encoder))
        {
            host.WriteMessage($"files of {name} disagree: {conflict}");
        }
    }

    /// <summary>What names a model, for help texts.</summary>
    public const string Description =
        "Folder of a model in Hugging Face layout, a GGUF file, or org/name[@revision] on the hub.";

    /// <summary>The folder of a model; downloads what is missing.</summary>
    /// <exception cref="RunException">There is no such folder, or the download fails.</exception>
    public static string Find(CommandHost host, string name, bool isQuiet = false) =>
        FindNamed(host, Resolve(host, name), isQuiet);

    /// <summary>
    /// What a person typed, as it holds from any folder: an absolute path, or the name of a shipped model or one of the
    /// hub. Nothing is downloaded.
    /// </summary>
    /// <exception cref="RunException">It is neither a folder that is there nor a name.</exception>
    public static string Resolve(CommandHost host, string name)
    {
        var here = Path.GetFullPath(host.PathOf(name));
        var shipped = Path.IsPathRooted(name) ? null : FindShipped(host, name);
        if (InputPaths.IsModel(here))
        {
            return shipped is not null && HaveSameFiles(here, shipped) ? name : here;
        }

        return shipped is not null || ParseHubName(host, name) is not null ? name : throw CreateNotFound(host, name);
    }

    /// <summary>The folder of a model by an absolute path or a name; downloads what is missing.</summary>
    public static string FindNamed(CommandHost host, string name, bool isQuiet) =>
        FindOnDisk(host, name) ?? Pull(host, HubName.Parse(name) ?? throw CreateNotFound(host, name), isQuiet);

    /// <summary>The folder of a model by an absolute path or a name; nothing is downloaded.</summary>
    /// <exception cref="RunException">It is not here.</exception>
    public static string FindNamedLocal(CommandHost host, string name)
    {
        if (FindOnDisk(host, name) is { } folder)
        {
            return folder;
        }

        if (HubName.Parse(name) is null)
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
        if (Path.IsPathRooted(name))
        {
            return InputPaths.IsModel(name) ? name : null;
        }

        return FindShipped(host, name)
            ?? (HubName.Parse(name) is { } model ? new HubCache(host.ReadHubSettings().CacheFolder).Find(model) : null);
    }

    static string? FindShipped(CommandHost host, string name) =>
        host
            .ProgramFolders.Select(root => Path.GetFullPath(Path.Combine(root, name)))
            .FirstOrDefault(InputPaths.IsModel);

    /// <summary>Whether two folders have files of the same names and contents.</summary>
    static bool HaveSameFiles(string a, string b)
    {
        if (File.Exists(a) || File.Exists(b))
        {
            return RealPath.AreSame(a, b);
        }

        var names = ListFileNames(a);
        return RealPath.AreSame(a, b)
            || (
                names.SequenceEqual(ListFileNames(b))
                && names.All(name => HaveSameContent(Path.Combine(a, name), Path.Combine(b, name)))
            );
    }

    static List<string> ListFileNames(string folder) =>
        [.. Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];

    static bool HaveSameContent(string a, string b) =>
        new FileInfo(a).Length == new FileInfo(b).Length
        && File.ReadAllBytes(a).AsSpan().SequenceEqual(File.ReadAllBytes(b));

    /// <summary>
    /// A name on the hub. One that begins with an existing folder is a mistyped path, not a model to download.
    /// </summary>
    static HubName? ParseHubName(CommandHost host, string name)
    {
        var firstFolder = name.Split('/')[0];
        var isPath = host.SearchFolders.Any(root => Directory.Exists(Path.Combine(root, firstFolder)));
        return isPath ? null : HubName.Parse(name);
    }

    static RunException CreateNotFound(CommandHost host, string name)
    {
        const string expected =
            "name a model folder in Hugging Face layout, a .gguf file, or a model of the hub as org/name";
        if (File.Exists(host.PathOf(name)))
        {
            return new($"model {name} is a file: {expected}");
        }

        var folders = string.Join(" and ", host.SearchFolders.Distinct());
        var lookup = Path.IsPathRooted(name) ? "" : $" (looked in {folders})";
        return new($"model folder {name} does not exist{lookup}: {expected}");
    }
}
