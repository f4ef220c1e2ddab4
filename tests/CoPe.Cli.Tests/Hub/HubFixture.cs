using CoPe.Cli.Hub;
using CoPe.Experiments.Runs;
using CoPe.Modeling;
using CoPe.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace CoPe.Cli.Tests.Hub;

/// <summary>A small hub with a small model, and a cache of a test's own.</summary>
sealed class HubFixture : IDisposable
{
    public const string Weights = "model.safetensors";

    public HubFixture()
    {
        using var model = TinyModels.Random(TinyModels.Plain);
        ModelFolder.Save(Folder.At("source"), model.Config, model.Weights, ScalarType.Float32);
        foreach (var file in Directory.GetFiles(Folder.At("source")))
        {
            Hub.Files[Path.GetFileName(file)] = File.ReadAllBytes(file);
        }

        Hub.Files["tokenizer.json"] = "{}"u8.ToArray();
    }

    public TemporaryFolder Folder { get; } = new();

    public FakeHub Hub { get; } = new();

    public string? Token { get; set; }

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public Action<string, string>? MakeLink { get; set; }

    public HubSettings Settings => Hub.Settings(Folder, Token);

    public HubCache Cache => new(Settings.CacheFolder, MakeLink);

    public byte[] WeightBytes => Hub.Files[Weights];

    public string BlobOf(string file) => Cache.BlobPath(FakeHub.Repo, FakeHub.ComputeEtag(file, Hub.Files[file]));

    public string InSnapshot(string file) => Path.Combine(Cache.SnapshotFolder(FakeHub.Repo, FakeHub.Commit), file);

    public Task<string> Pull(string name = FakeHub.Repo, CancellationToken cancellation = default) =>
        PullWith(Settings, name, cancellation);

    public async Task<string> PullWith(
        HubSettings settings,
        string name = FakeHub.Repo,
        CancellationToken cancellation = default
    )
    {
        using var http = new HttpClient(HubClient.CreateHandler());
        return await new HubPull(http, settings, Cache, new NullProgress(), Time, NullLogger.Instance).Pull(
            HubName.Parse(name)!,
            cancellation
        );
    }

    /// <summary>The error of a pull that must fail.</summary>
    public async Task<string> PullError(string name = FakeHub.Repo) =>
        (await Assert.ThrowsAsync<RunException>(() => Pull(name))).Message;

    public void Dispose()
    {
        Hub.Dispose();
        Folder.Dispose();
    }

    sealed class NullProgress : IProgress<StageProgress>
    {
        public void Report(StageProgress value) { }
    }
}

/// <summary>A clock whose waits are over at once and written down.</summary>
sealed class InstantTimeProvider : TimeProvider
{
    readonly List<TimeSpan> _waits = [];

    public IReadOnlyList<TimeSpan> Waits
    {
        get
        {
            lock (_waits)
            {
                return [.. _waits];
            }
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        lock (_waits)
        {
            _waits.Add(dueTime);
        }

        return base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }
}
