using CoPe.Cli.Hub;
using CoPe.Modeling;
using CoPe.Runs;
using CoPe.Tests.Modeling;
using Microsoft.Extensions.Logging.Abstractions;
using static TorchSharp.torch;

namespace CoPe.Tests.Cli.Hub;

/// <summary>A small hub with a small model, and a cache of a test's own.</summary>
sealed class HubWorld : IDisposable
{
    public const string Weights = "model.safetensors";

    public HubWorld()
    {
        using var model = TinyModels.Random(TinyModels.Plain);
        ModelFolder.Save(Folder.At("source"), model.Config, model.Weights, ScalarType.Float32);
        foreach (var file in Directory.GetFiles(Folder.At("source"))) Hub.Files[Path.GetFileName(file)] = File.ReadAllBytes(file);
        Hub.Files["tokenizer.json"] = "{}"u8.ToArray();
    }

    public TemporaryFolder Folder { get; } = new();

    public SmallHub Hub { get; } = new();

    public string? Token { get; set; }

    public TimeProvider Time { get; set; } = TimeProvider.System;

    public Action<string, string>? MakeLink { get; set; }

    public HubSettings Settings => Hub.Settings(Folder, Token);

    public HubCache Cache => new(Settings.Cache, MakeLink);

    public byte[] WeightBytes => Hub.Files[Weights];

    public string BlobOf(string file) => Cache.Blob(SmallHub.Repo, SmallHub.EtagOf(file, Hub.Files[file]));

    public string InSnapshot(string file) => Path.Combine(Cache.Snapshot(SmallHub.Repo, SmallHub.Commit), file);

    public async Task<string> Pull(string name = SmallHub.Repo, CancellationToken cancellation = default)
    {
        using var http = new HttpClient(HubClient.Handler());
        return await new HubPull(http, Settings, Cache, new Ignored(), Time, NullLogger.Instance).Run(HubName.Parse(name)!, cancellation);
    }

    /// <summary>The error of a pull that must fail.</summary>
    public async Task<string> Refusal(string name = SmallHub.Repo) => (await Assert.ThrowsAsync<RunException>(() => Pull(name))).Message;

    public void Dispose()
    {
        Hub.Dispose();
        Folder.Dispose();
    }

    sealed class Ignored : IProgress<StageProgress>
    {
        public void Report(StageProgress value)
        {
        }
    }
}
