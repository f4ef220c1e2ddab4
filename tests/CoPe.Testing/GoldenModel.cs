using System.Text.Json;
using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Modeling;
using CoPe.Scoring;

namespace CoPe.Testing;

/// <summary>A golden model with the task's adapter and two users'.</summary>
sealed class GoldenModel : IDisposable
{
    GoldenModel(string root, string name, CausalLm model)
    {
        Model = model;
        AdapterBank Read(string adapter) =>
            AdapterFile.Read(Path.Combine(root, "adapters", name, adapter), Model.Config);
        Task = Read("tam");
        using var user0 = Read("user0");
        using var user1 = Read("user1");
        Users = AdapterBank.Stack([user0, user1]);
    }

    public CausalLm Model { get; }

    public AdapterBank Task { get; }

    public AdapterBank Users { get; }

    public static AdapterSelection Expert => AdapterSelection.TaskAndUser(0);

    public static GoldenModel Open(string root, string name) =>
        new(root, name, CausalLm.Load(Path.Combine(root, "models", name), TorchSharp.torch.ScalarType.Float32));

    public static GoldenModel Open(string root, string name, QuantizedDtype dtype) =>
        new(root, name, CausalLm.LoadQuantized(Path.Combine(root, "models", name), dtype));

    public static GoldenModel Llama() => Open(GoldenFolders.Roots().First(), "llama");

    public DecodingEngine Engine(int[]? stopIds = null, EngineOptions? options = null) =>
        new(Model, Task, Users, stopIds ?? [2], options);

    public SequenceScorer Scorer(ScoringOptions? options = null) => new(Model, Task, Users, options);

    /// <summary>
    /// The golden files of decode/, each with the root that holds its model, or without where it has none.
    /// </summary>
    public static IEnumerable<(string Root, JsonElement Golden)> DecodeFiles()
    {
        foreach (
            var file in GoldenFolders.Entries("decode", "*.json").Where(file => Path.GetFileName(file) != "info.json")
        )
        {
            var golden = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
            yield return (Path.GetFullPath(Path.Combine(file, "..", "..")), golden);
        }
    }

    public static int[] Ids(JsonElement ids) => [.. ids.EnumerateArray().Select(id => id.GetInt32())];

    public void Dispose()
    {
        Users.Dispose();
        Task.Dispose();
        Model.Dispose();
    }
}

/// <summary>The calls under test, stoppable by the runner.</summary>
static class CancellableCalls
{
    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static IReadOnlyList<DecodingResult> InOrder(
        this DecodingEngine engine,
        IReadOnlyList<DecodingRequest> requests
    ) => engine.GenerateInOrder(requests, cancellation: Stop);

    public static IEnumerable<DecodingResult> Stream(
        this DecodingEngine engine,
        IEnumerable<DecodingRequest> requests
    ) => engine.Generate(requests, cancellation: Stop);

    public static IReadOnlyList<ScoredResponse> Scores(this SequenceScorer scorer, IEnumerable<ScoringItem> items) =>
        scorer.Score(items, Stop);
}

/// <summary>Selections of adapters from drawn numbers.</summary>
static class TestSelections
{
    /// <summary>As named, where a negative user is none.</summary>
    public static AdapterSelection Create(bool usesTask, int user) =>
        AdapterSelection.Create(usesTask, user < 0 ? null : user);
}
