using CoPe.Modeling;
using CoPe.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>Brings a model from the hub into the cache: what describes it first, so that one which is not supported costs no gigabytes, then its weights.</summary>
sealed class HubPull
{
    readonly HubClient client;
    readonly HubCache cache;
    readonly HubSettings settings;
    readonly HubRetries retries;
    readonly BlobDownload download;
    readonly PullProgress progress;
    readonly TimeProvider time;
    readonly ILogger log;

    public HubPull(HttpClient http, HubSettings settings, HubCache cache, IProgress<StageProgress> shown, TimeProvider time, ILogger log)
    {
        (this.settings, this.cache, this.time, this.log) = (settings, cache, time, log);
        client = new HubClient(http, settings);
        retries = new HubRetries(settings, time, log);
        progress = new PullProgress(shown, time);
        download = new BlobDownload(client, settings, progress, retries, log);
    }

    /// <summary>The model's folder in the cache, downloaded as far as it is not there.</summary>
    /// <exception cref="RunException">The hub refuses, has no such model, or the network fails.</exception>
    /// <exception cref="ModelFileException">The model is not one that is supported.</exception>
    public async Task<string> Run(HubName name, CancellationToken cancellation)
    {
        var (commit, files) = await retries.Ask(name.ToString(), () => client.Revision(name, cancellation), cancellation).ConfigureAwait(false);
        var snapshot = cache.Snapshot(name.Repo, commit);
        cache.RememberLacking(name.Repo, commit, HubFiles.Lacking(files));
        if (!files.Contains(HubFiles.Config)) throw new RunException($"{name} has no {HubFiles.Config} and so is no model; its files are at {new Uri(settings.Endpoint, name.Repo)}/tree/main");
        await Fetch(name, commit, [.. HubFiles.Small(files)], cancellation).ConfigureAwait(false);
        DecoderConfig.Read(snapshot);
        await Fetch(name, commit, HubFiles.Weights(name, snapshot, [.. files]), cancellation).ConfigureAwait(false);
        using var held = await FileLock.Take(cache.Lock(name.Repo, "refs"), time, log, cancellation).ConfigureAwait(false);
        cache.Remember(name, commit);
        return snapshot;
    }

    async Task Fetch(HubName name, string commit, IReadOnlyList<string> files, CancellationToken cancellation)
    {
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = settings.Parallel, CancellationToken = cancellation };
        var lacking = files.Where(file => !HubFiles.IsThere(PathOf(name, commit, file))).ToList();
        var described = new RemoteFile[lacking.Count];
        await Parallel.ForAsync(0, lacking.Count, parallel, async (i, stop) =>
            described[i] = await retries.Ask($"{lacking[i]} of {name}", () => client.Describe(name, commit, lacking[i], stop), stop).ConfigureAwait(false)).ConfigureAwait(false);
        progress.Expect(described.Sum(file => file.Size));
        // The largest first, so that none is left to come in alone at the end.
        await Parallel.ForEachAsync(described.OrderByDescending(file => file.Size), parallel, (file, stop) => FetchOne(name, commit, file, stop)).ConfigureAwait(false);
    }

    async ValueTask FetchOne(HubName name, string commit, RemoteFile file, CancellationToken cancellation)
    {
        var (blob, path) = (cache.Blob(name.Repo, file.Etag), PathOf(name, commit, file.Name));
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        using var held = await FileLock.Take(cache.Lock(name.Repo, file.Etag), time, log, cancellation).ConfigureAwait(false);
        if (HubFiles.IsThere(path)) return; // another process brought it meanwhile
        var isNew = !File.Exists(blob) || new FileInfo(blob).Length != file.Size;
        if (isNew)
        {
            await download.Run(name, commit, file, blob + ".incomplete", cancellation).ConfigureAwait(false);
            File.Move(blob + ".incomplete", blob, overwrite: true);
        }
        else
        {
            progress.Found(file.Size);
        }
        cache.Place(blob, path, isNew);
    }

    string PathOf(HubName name, string commit, string file) => Path.Combine(cache.Snapshot(name.Repo, commit), file);
}
