using CoPe.Experiments.Runs;
using CoPe.Modeling;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>
/// Downloads a model from the hub into the cache: first the files that describe it, so that an unsupported model costs
/// no gigabytes, then its weights.
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
        IProgress<StageProgress> progress,
        TimeProvider time,
        ILogger log
    )
    {
        (_settings, _cache, _time, _log) = (settings, cache, time, log);
        _client = new HubClient(http, settings, time);
        _retries = new HubRetries(settings, time, log);
        _progress = new PullProgress(progress, time);
        _download = new BlobDownload(_client, settings, _progress, _retries, log);
    }

    /// <summary>Downloads what of the model is missing in the cache, and returns its folder there.</summary>
    /// <exception cref="RunException">The hub refuses, has no such model, or the network fails.</exception>
    /// <exception cref="ModelFileException">The model is not supported.</exception>
    public async Task<string> Pull(HubName name, CancellationToken cancellation)
    {
        var (commit, files) = await _retries
            .Retry($"{name}", () => _client.ResolveRevision(name, cancellation), cancellation)
            .ConfigureAwait(false);
        var snapshot = _cache.SnapshotFolder(name.Repo, commit);
        _cache.MarkAbsent(name.Repo, commit, HubFiles.SelectAbsent(files));
        if (!files.Contains(HubFiles.ConfigFile))
        {
            throw new RunException(
                $"{name} has no {HubFiles.ConfigFile} and so is no model; "
                    + $"its files are at {new Uri(_settings.Endpoint, name.Repo)}/tree/main"
            );
        }

        var small = HubFiles.SelectSmall(name, files);
        WarnOfUnstorable(name, files);
        await FetchFiles(name, commit, small, HubFiles.MaxSmallFileBytes, cancellation).ConfigureAwait(false);
        // Refuses an unsupported model before its weights are downloaded.
        DecoderConfig.Read(snapshot);
        var weights = HubFiles.SelectWeights(name, snapshot, files);
        await FetchFiles(name, commit, weights, HubFiles.MaxWeightsFileBytes, cancellation).ConfigureAwait(false);
        using var refsLock = await AcquireLock(name, "refs", cancellation).ConfigureAwait(false);
        _cache.SaveRef(name, commit);
        return snapshot;
    }

    void WarnOfUnstorable(HubName name, IReadOnlyCollection<string> files)
    {
        var unstorable = files.Count(file => HubFiles.IsSmall(file) && !HubFiles.IsStorable(file));
        if (unstorable > 0)
        {
            _log.LogWarning(
                "{Model}: {Count} files are left out, whose names not every system can store",
                name,
                unstorable
            );
        }
    }

    async Task FetchFiles(
        HubName name,
        string commit,
        IReadOnlyCollection<string> files,
        long maxBytes,
        CancellationToken cancellation
    )
    {
        var parallel = new ParallelOptions
        {
            MaxDegreeOfParallelism = _settings.MaxParallel,
            CancellationToken = cancellation,
        };
        var missing = files.Where(file => !HubFiles.Exists(SnapshotPath(name, commit, file))).ToList();
        var described = new RemoteFile[missing.Count];
        async ValueTask Describe(int index, CancellationToken stop)
        {
            var file = missing[index];
            described[index] = await _retries
                .Retry($"{file} of {name}", () => _client.DescribeFile(name, commit, file, stop), stop)
                .ConfigureAwait(false);
        }

        await Parallel.ForAsync(0, missing.Count, parallel, Describe).ConfigureAwait(false);
        if (described.FirstOrDefault(file => file.Size > maxBytes) is { } large)
        {
            throw new RunException(
                $"{large} has {large.Size} bytes by what the hub says; a file of its kind has at most {maxBytes}"
            );
        }

        _progress.AddExpected(described.Sum(file => file.Size));
        // The largest first, so that it does not remain alone at the end.
        var largestFirst = described.OrderByDescending(file => file.Size);
        await Parallel.ForEachAsync(largestFirst, parallel, FetchFile).ConfigureAwait(false);
    }

    async ValueTask FetchFile(RemoteFile file, CancellationToken cancellation)
    {
        var blob = _cache.BlobPath(file.Model.Repo, file.Etag);
        var path = SnapshotPath(file.Model, file.Commit, file.Name);
        Directory.CreateDirectory(Path.GetDirectoryName(blob)!);
        using var blobLock = await AcquireLock(file.Model, file.Etag, cancellation).ConfigureAwait(false);
        // Another process may have downloaded it while this one waited for the lock.
        if (HubFiles.Exists(path))
        {
            return;
        }

        var isNew = !File.Exists(blob) || new FileInfo(blob).Length != file.Size;
        if (isNew)
        {
            await _download.Download(file, blob + ".incomplete", cancellation).ConfigureAwait(false);
            File.Move(blob + ".incomplete", blob, overwrite: true);
        }
        else
        {
            _progress.AddExisting(file.Size);
        }

        _cache.AddToSnapshot(blob, path, isNew);
    }

    Task<FileLock> AcquireLock(HubName name, string part, CancellationToken cancellation) =>
        FileLock.Acquire(_cache.LockPath(name.Repo, part), _time, _log, cancellation);

    string SnapshotPath(HubName name, string commit, string file) =>
        Path.Combine(_cache.SnapshotFolder(name.Repo, commit), file);
}

/// <summary>Adds up the bytes of parallel downloads and reports their progress.</summary>
sealed class PullProgress(IProgress<StageProgress> progress, TimeProvider time)
{
    /// <summary>The stage under which a download is shown.</summary>
    public const string StageName = "download";

    readonly Lock _sync = new();
    readonly long _startedAt = time.GetTimestamp();
    long _total;
    long _done;
    long _received;

    /// <summary>Adds bytes to the total.</summary>
    public void AddExpected(long bytes)
    {
        lock (_sync)
        {
            _total += bytes;
        }
    }

    /// <summary>Adds bytes that were here already; negative where they turned out to be unusable.</summary>
    public void AddExisting(long bytes)
    {
        lock (_sync)
        {
            _done += bytes;
        }
    }

    /// <summary>Adds bytes that were received, and reports.</summary>
    public void AddReceived(long bytes)
    {
        lock (_sync)
        {
            _done += bytes;
            _received += bytes;
            var (unit, size) = _total < 10_000_000 ? ("kB", 1e3) : ("MB", 1e6);
            var seconds = Math.Max(1e-3, time.GetElapsedTime(_startedAt).TotalSeconds);
            progress.Report(
                new()
                {
                    Stage = StageName,
                    Done = (long)(_done / size),
                    Total = (long)Math.Ceiling(_total / size),
                    Unit = unit,
                    Figures = new Dictionary<string, double> { ["MB/s"] = _received / 1e6 / seconds },
                }
            );
        }
    }
}
