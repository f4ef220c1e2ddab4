using System.Text.Json;
using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using CoPe.Training;

namespace CoPe.Tests.Training;

[Collection("torch")]
public class TrainingGoldenTests(ITestOutputHelper output)
{
    [Fact]
    public void Supervised_training_follows_the_hugging_face_trainer_step_by_step() => TrainSupervised("train");

    [Fact]
    public void Training_an_adapter_that_acts_on_the_answer_alone_follows_PEFT_step_by_step() =>
        TrainSupervised("alora_train");

    void TrainSupervised(string kind) =>
        ForEach(
            kind,
            "*_sft_*",
            (golden, name) =>
            {
                using var model = golden.Model();
                using var task = golden.TaskAdapter(model.Config);
                using var adapters = golden.InitialAdapter(model.Config);
                var watch = new GoldenComparison(golden, adapters, name);
                SftTrainer.Train(
                    new TrainingContext
                    {
                        Model = model,
                        Options = golden.Options,
                        Metrics = row => watch.Step(row, step => watch.Near(step, row, "loss", 1e-5)),
                    },
                    adapters,
                    [new(name, golden.Supervised)],
                    task
                );
                watch.Finish();
            }
        );

    [Fact]
    public void Preference_training_follows_trl_step_by_step() =>
        ForEach(
            "train",
            "*_dpo_*",
            (golden, name) =>
            {
                using var model = golden.Model();
                using var adapters = golden.InitialAdapter(model.Config);
                var watch = new GoldenComparison(golden, adapters, name);
                DpoTrainer.Train(
                    new TrainingContext
                    {
                        Model = model,
                        Options = golden.Options,
                        Metrics = row => watch.Step(row, step => Preference(watch, golden, step, row)),
                    },
                    adapters,
                    [new(name, golden.Preferences)],
                    golden.Dpo
                );
                watch.Finish();
            }
        );

    static void Preference(GoldenComparison watch, TrainingGolden golden, JsonElement step, StepMetrics row)
    {
        watch.Near(step, row, "loss", 1e-5);
        watch.Near(step, row, "logps/chosen", 1e-5);
        watch.Near(step, row, "logps/rejected", 1e-5);
        var noise = golden.Number("beta") * 1e-4; // rewards are differences of log-probabilities near -80
        if (Math.Abs(row.Figures["rewards/margins"]) > noise)
        {
            watch.Near(step, row, "rewards/accuracies", 1e-6);
        }

        foreach (var figure in new[] { "rewards/chosen", "rewards/rejected", "rewards/margins" })
        {
            watch.Within(step, row, figure, noise);
        }
    }

    void ForEach(string kind, string pattern, Action<TrainingGolden, string> run)
    {
        var folders = GoldenFolders.Entries(kind, pattern).ToArray();
        Assert.NotEmpty(folders);
        foreach (var folder in folders)
        {
            run(new TrainingGolden(folder), Path.GetFileName(folder));
            output.WriteLine($"ran {folder}");
        }
    }
}

/// <summary>One golden training: its numbers and where its folders are.</summary>
sealed class TrainingGolden(string folder)
{
    readonly JsonElement _golden = JsonDocument
        .Parse(File.ReadAllText(Path.Combine(folder, "golden.json")))
        .RootElement;

    public string Folder { get; } = folder;

    public string Root => Path.GetFullPath(Path.Combine(Folder, "..", ".."));

    public JsonElement[] Steps => [.. _golden.GetProperty("steps").EnumerateArray()];

    public double Number(string name) => _golden.GetProperty(name).GetDouble();

    public CausalLm Model() => CausalLm.Load(Find(Path.Combine("models", _golden.GetProperty("model").GetString()!)));

    /// <summary>The adapter below the trained one; null for none.</summary>
    public AdapterBank? TaskAdapter(DecoderConfig model) =>
        Text("tam") is { } folder ? AdapterFile.Read(Find(folder), model) : null;

    public AdapterBank InitialAdapter(DecoderConfig model) =>
        AdapterFile.Read(
            _golden.TryGetProperty("init_adapter", out var start)
                ? Path.Combine(Root, start.GetString()!)
                : Path.Combine(Folder, "init_adapter"),
            model
        );

    /// <summary>As the golden trained: no shuffling.</summary>
    public TrainingOptions Options =>
        new()
        {
            LearningRate = Number("learning_rate"),
            Epochs = (int)Number("epochs"),
            BatchSize = (int)Number("batch_size"),
            WarmupRatio = Number("warmup_ratio"),
            MaxGradNorm = Number("max_grad_norm"),
            Optimizer = new() { WeightDecay = Number("weight_decay") },
            Shuffle = false,
            GradientAccumulation = (int)(Optional("gradient_accumulation_steps") ?? 1),
            CutOff = (int)(Optional("max_length") ?? 2048),
        };

    /// <summary>The loss of pairs; the reference is the adapter as it was unless the golden switched it off.</summary>
    public DpoOptions Dpo =>
        new()
        {
            Beta = Number("beta"),
            LabelSmoothing = Optional("label_smoothing") ?? 0,
            RpoAlpha = Optional("rpo_alpha"),
            Loss = Enum.Parse<DpoLossKind>(Text("loss_type") ?? "sigmoid", ignoreCase: true),
            Reference =
                Text("reference_model")?.Contains("disabled", StringComparison.Ordinal) ?? true
                    ? DpoReference.Tam
                    : DpoReference.Sft,
        };

    public SupervisedExample[] Supervised =>
        [
            .. _golden
                .GetProperty("examples")
                .EnumerateArray()
                .Select(
                    (example, i) => new SupervisedExample($"{i}", Ids(example, "prompt"), Ids(example, "completion"))
                ),
        ];

    /// <summary>
    /// TRL appends the end of the sequence to both answers, then cuts a prompt on the left and an answer on the right
    /// where it is told to.
    /// </summary>
    public PreferenceExample[] Preferences
    {
        get
        {
            var end = _golden.GetProperty("eos_appended_to_completions").GetInt32();
            return
            [
                .. _golden
                    .GetProperty("examples")
                    .EnumerateArray()
                    .Select(
                        (example, i) =>
                            new PreferenceExample(
                                $"{i}",
                                [
                                    .. Ids(example, "prompt")
                                        .TakeLast((int)(Optional("max_prompt_length") ?? int.MaxValue)),
                                ],
                                Answer(example, "chosen", end),
                                Answer(example, "rejected", end)
                            )
                    ),
            ];
        }
    }

    int[] Answer(JsonElement example, string name, int end) =>
        [.. Ids(example, name).Append(end).Take((int)(Optional("max_completion_length") ?? int.MaxValue))];

    /// <summary>A path of the layout, in the golden's root or in another that has it.</summary>
    string Find(string path) =>
        GoldenFolders.Roots().Prepend(Root).Select(root => Path.Combine(root, path)).First(Directory.Exists);

    double? Optional(string name) =>
        _golden.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble()
            : null;

    string? Text(string name) => _golden.TryGetProperty(name, out var value) ? value.GetString() : null;

    static int[] Ids(JsonElement example, string name) =>
        [.. example.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}

/// <summary>Compares a training with its golden while it runs.</summary>
sealed class GoldenComparison(TrainingGolden golden, AdapterBank adapters, string name)
{
    readonly JsonElement[] _steps = golden.Steps;
    long _seen;

    /// <summary>Compares one step: norm, rate, what the loss adds, and the weights where the golden has them.</summary>
    public void Step(StepMetrics row, Action<JsonElement> compare)
    {
        _seen = row.Step;
        var step = _steps[row.Step - 1];
        compare(step);
        Assert.True(
            Math.Abs(row.Figures["lr"] - step.GetProperty("lr").GetDouble()) <= 1e-12,
            $"{name} step {row.Step}: rate {row.Figures["lr"]}"
        );
        NearValue(
            step.GetProperty("grad_norm_before_clipping").GetDouble(),
            row.Figures["grad_norm"],
            2e-5,
            $"step {row.Step} gradient norm"
        );
        CompareWeights($"step{row.Step}.");
    }

    /// <summary>Every step was taken, and the weights are the final ones.</summary>
    public void Finish()
    {
        Assert.Equal(_steps.Length, _seen);
        Assert.Equal(adapters.Pairs.Count * 2, CompareWeights("final."));
    }

    public void Near(JsonElement step, StepMetrics row, string figure, double relative) =>
        NearValue(step.GetProperty(figure).GetDouble(), row.Figures[figure], relative, $"step {row.Step} {figure}");

    public void Within(JsonElement step, StepMetrics row, string figure, double absolute)
    {
        var (expected, actual) = (step.GetProperty(figure).GetDouble(), row.Figures[figure]);
        Assert.True(
            Math.Abs(expected - actual) <= absolute,
            $"{name} step {row.Step} {figure}: {actual}, expected {expected}"
        );
    }

    void NearValue(double expected, double actual, double relative, string what) =>
        Assert.True(
            Math.Abs(expected - actual) <= relative * Math.Max(1e-3, Math.Abs(expected)),
            $"{name} {what}: {actual}, expected {expected}"
        );

    int CompareWeights(string prefix)
    {
        using var file = SafetensorsFile.Open(Path.Combine(golden.Folder, "weights.safetensors"));
        var compared = 0;
        foreach (var (layer, pair) in adapters.Pairs)
        {
            foreach (var (factor, side) in new[] { (pair.A, "A"), (pair.B, "B") })
            {
                var entry = $"{prefix}base_model.model.{layer}.lora_{side}.weight";
                if (!file.Contains(entry))
                {
                    continue;
                }

                using var scope = TorchSharp.torch.NewDisposeScope();
                var worst = (factor.detach()[0] - file.Read(entry)).abs().max().item<float>();
                Assert.True(worst <= 1e-5, $"{name} {entry} is off by {worst}");
                compared++;
            }
        }

        return compared;
    }
}
