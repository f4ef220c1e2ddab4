using CoPe.Experiments.Runs;
using CoPe.Modeling;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>
/// Brings a model from the hub into the cache: what describes it first, so that one which is not supported costs no
/// gigabytes, then its weights.
/// </summary>
sealed class HubPull
{
    readonly HubClient _client;
    readonly HubCache _cache;
    readonly HubSettings _settings;
    readonly HubRetries _retries;
    readonly BlobDownload _download;
    readonly PullProgress _progress;
    readonly TimeProvider _time;
    readonly ILogger _log;

    public HubPull(
        HttpClient http,
        HubSettings settings,
        HubCache cache,
        IProgress<StageProgress> shown,
        TimeProvider time,
        ILogger log
    )
    {
        (_settings, _cache, _time, _log) = (settings, cache, time, log);
        _client = new HubClient(http, settings);
        _retries = new HubRetries(settings, time, log);
        _progress = new PullProgress(shown, time);
        _download = new BlobDownload(_client, settings, _progress, _retries, log);
    }

    /// <summary>The model's folder in the cache, downloaded as far as it is not there.</summary>
    /// <exception cref="RunException">The hub refuses, has no such model, or the network fails.</exception>
    /// <exception cref="ModelFileException">The model is not one that is supported.</exception>
    public async Task<string> Pull(HubName name, CancellationToken cancellation)
    {
        var (commit, files) = await _retries
            .Retry(name.ToString(), () => _client.ResolveRevision(name, cancellation), cancellation)
            .ConfigureAwait(false);
        var snapshot = _cache.SnapshotFolder(name.Repo, commit);
        _cache.MarkAbsent(name.Repo, commit, HubFiles.SelectAbsent(files));
        if (!files.Contains(HubFiles.ConfigFile))
        {
            throw new RunException(
                $"{name} has no {HubFiles.ConfigFile} and so is no model; its files are at {new Uri(_settings.Endpoint, name.Repo)}/tree/main"
            );
        }

        await FetchFiles(name, commit, [.. HubFiles.SelectSmall(files)], cancellation).ConfigureAwait(false);
        DecoderConfig.Read(snapshot);
        await FetchFiles(name, commit, HubFiles.SelectWeights(name, snapshot, [.. files]), cancellation)
            .ConfigureAwait(false);
        using var held = await FileLock
            .Acquire(_cache.LockPath(name.Repo, "refs"), _time, _log, cancellation)
            .ConfigureAwait(false);
        _cache.SaveRef(name, commit);
        return snapshot;
    }

    async Task FetchFiles(HubName name, string commit, IReadOnlyList<string> files, CancellationToken cancellation)
    {
        var parallel = new ParallelOptions
        {
            MaxDegreeOfParallelism = _settings.MaxParallel,
            CancellationToken = cancellation,
        };
        var lacking = files.Where(file => !HubFiles.Exists(SnapshotPath(name, commit, file))).ToList();
        var described = new RemoteFile[lacking.Count];
        await Parallel
            .ForAsync(
                0,
                lacking.Count,
                parallel,
                async (i, stop) =>
                    described[i] = await _retries
                        .Retry(
                            $"{lacking[i]} of {name}",
                            () => _client.DescribeFile(name, commit, lacking[i], stop),
                            stop
                        )
                        .ConfigureAwait(false)
            )
            .ConfigureAwait(false);
        _progress.AddExpected(described.Sum(file => file.Size));
        // The largest first, so that none is left to come in alone at the end.
        await Parallel
            .ForEachAsync(
                described.OrderByDescending(file => file.Size),
                parallel,
                (file, stop) => FetchFile(name, commit, file, stop)
            )
            .ConfigureAwait(false);
    }

    async ValueTask FetchFile(HubName name, string commit, RemoteFile file, CancellationToken cancellation)
    {
        var (blob, path) = (_cache.BlobPath(name.Repo, file.Etag), SnapshotPath(name, commit, file.Name));
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        using var held = await FileLock
            .Acquire(_cache.LockPath(name.Repo, file.Etag), _time, _log, cancellation)
            .ConfigureAwait(false);
        if (HubFiles.Exists(path))
        {
            return; // another process brought it meanwhile
        }

        var isNew = !File.Exists(blob) || new FileInfo(blob).Length != file.Size;
        if (isNew)
        {
            await _download.Download(name, commit, file, blob + ".incomplete", cancellation).ConfigureAwait(false);
            File.Move(blob + ".incomplete", blob, overwrite: true);
        }
        else
        {
            _progress.AddExisting(file.Size);
        }
        _cache.AddToSnapshot(blob, path, isNew);
    }

    string SnapshotPath(HubName name, string commit, string file) =>
        Path.Combine(_cache.SnapshotFolder(name.Repo, commit), file);
}

/// <summary>Adds up the bytes of files that come in at the same time, and tells how far they are.</summary>
sealed class PullProgress(IProgress<StageProgress> shown, TimeProvider time)
{
    /// <summary>The stage under which a download is shown.</summary>
    public const string StageName = "download";

    readonly Lock _sync = new();
    readonly long _startedAt = time.GetTimestamp();
    long _total;
    long _done;
    long _received;

    /// <summary>So much more is to come.</summary>
    public void AddExpected(long bytes)
    {
        lock (_sync)
        {
            _total += bytes;
        }
    }

    /// <summary>So much was here already; negative where it turned out to be unusable.</summary>
    public void AddExisting(long bytes)
    {
        lock (_sync)
        {
            _done += bytes;
        }
    }

    /// <summary>So much came in.</summary>
    public void AddReceived(long bytes)
    {
        lock (_sync)
        {
            _done += bytes;
            _received += bytes;
            var (unit, size) = _total < 10_000_000 ? ("kB", 1e3) : ("MB", 1e6);
            shown.Report(
                new()
                {
                    Stage = StageName,
                    Done = (long)(_done / size),
                    Total = (long)Math.Ceiling(_total / size),
                    Unit = unit,
                    Figures = new Dictionary<string, double>
                    {
                        ["MB/s"] = _received / 1e6 / Math.Max(1e-3, time.GetElapsedTime(_startedAt).TotalSeconds),
                    },
                }
            );
        }
    }
}
