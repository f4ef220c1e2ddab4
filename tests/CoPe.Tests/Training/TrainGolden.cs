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
        GradientAccumulation = (int)(Optional("gradient_accumulation_steps") ?? 1), CutOff = (int)(Optional("max_length") ?? 2048),
    };

    /// <summary>The loss of pairs; the reference is the adapter as it was unless the golden switched it off.</summary>
    public DpoOptions Dpo => new()
    {
        Beta = Number("beta"), LabelSmoothing = Optional("label_smoothing") ?? 0, RpoAlpha = Optional("rpo_alpha") ?? 0,
        Loss = Enum.Parse<DpoLossKind>(Text("loss_type") ?? "sigmoid", ignoreCase: true),
        Reference = Text("reference_model")?.Contains("disabled", StringComparison.Ordinal) ?? true ? DpoReference.Tam : DpoReference.Sft,
    };

    public SupervisedExample[] Supervised =>
        [.. golden.GetProperty("examples").EnumerateArray().Select((example, i) => new SupervisedExample($"{i}", Ids(example, "prompt"), Ids(example, "completion")))];

    /// <summary>TRL appends the end of the sequence to both answers, then cuts a prompt on the left and an answer on the right where it is told to.</summary>
    public PreferenceExample[] Preferences
    {
        get
        {
            var end = golden.GetProperty("eos_appended_to_completions").GetInt32();
            return [.. golden.GetProperty("examples").EnumerateArray().Select((example, i) => new PreferenceExample($"{i}",
                [.. Ids(example, "prompt").TakeLast((int)(Optional("max_prompt_length") ?? int.MaxValue))], Answer(example, "chosen", end), Answer(example, "rejected", end)))];
        }
    }

    int[] Answer(JsonElement example, string name, int end) => [.. Ids(example, name).Append(end).Take((int)(Optional("max_completion_length") ?? int.MaxValue))];

    double? Optional(string name) => golden.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    string? Text(string name) => golden.TryGetProperty(name, out var value) ? value.GetString() : null;

    static int[] Ids(JsonElement example, string name) => [.. example.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
