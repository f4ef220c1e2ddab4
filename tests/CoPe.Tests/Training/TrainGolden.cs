using System.Text.Json;
using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Tokens;
using CoPe.Training;

namespace CoPe.Tests.Training;

/// <summary>One golden training: its numbers and where its folders are.</summary>
sealed class TrainGolden(string folder)
{
    readonly JsonElement golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "golden.json"))).RootElement;

    public string Folder { get; } = folder;

    public string Root => Path.GetFullPath(Path.Combine(Folder, "..", ".."));

    public JsonElement[] Steps => [.. golden.GetProperty("steps").EnumerateArray()];

    public double Number(string name) => golden.GetProperty(name).GetDouble();

    public CausalLm Model() => CausalLm.Load(Path.Combine(Root, "models", golden.GetProperty("model").GetString()!));

    public AdapterBank InitialAdapter(DecoderConfig model) => AdapterFile.Read(
        golden.TryGetProperty("init_adapter", out var start) ? Path.Combine(Root, start.GetString()!) : Path.Combine(Folder, "init_adapter"), model);

    /// <summary>As the golden trained: no shuffling.</summary>
    public TrainingOptions Options => new()
    {
        LearningRate = Number("learning_rate"), Epochs = (int)Number("epochs"), BatchSize = (int)Number("batch_size"), WarmupRatio = Number("warmup_ratio"),
        MaxGradNorm = Number("max_grad_norm"), Optimiser = new() { WeightDecay = Number("weight_decay") }, Shuffle = false,
        CutOff = golden.TryGetProperty("max_length", out var cutOff) ? cutOff.GetInt32() : 2048,
    };

    public SupervisedExample[] Supervised =>
        [.. golden.GetProperty("examples").EnumerateArray().Select((example, i) => new SupervisedExample($"{i}", Ids(example, "prompt"), Ids(example, "completion")))];

    /// <summary>TRL appends the end of the sequence to both answers.</summary>
    public PreferenceExample[] Preferences
    {
        get
        {
            var end = golden.GetProperty("eos_appended_to_completions").GetInt32();
            return [.. golden.GetProperty("examples").EnumerateArray().Select((example, i) => new PreferenceExample($"{i}", Ids(example, "prompt"), [.. Ids(example, "chosen"), end], [.. Ids(example, "rejected"), end]))];
        }
    }

    static int[] Ids(JsonElement example, string name) => [.. example.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
