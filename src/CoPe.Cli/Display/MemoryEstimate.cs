using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Kernels.Threads;
using CoPe.Modeling;
using CoPe.Training;
using static TorchSharp.torch;

namespace CoPe.Cli.Display;

/// <summary>The sizes of a model's adapters and the memory of each stage, for a workload.</summary>
sealed record MemoryEstimate
{
    /// <summary>Examples of a training step, or answers decoded at once.</summary>
    public int Batch { get; init; } = 8;

    /// <summary>Tokens of prompt and answer together.</summary>
    public int Length { get; init; } = 2048;

    /// <summary>Tokens of an answer.</summary>
    public int AnswerLength { get; init; } = 100;

    /// <summary>Users trained in one pass.</summary>
    public int Users { get; init; } = 1;

    /// <summary>Rank of all adapters; null takes the recipes'.</summary>
    public int? Rank { get; init; }

    LoraConfig CreateTaskLora(ModelInfo info) => FitTo(info.Config, new TamSection().Lora);

    LoraConfig CreateUserLora(ModelInfo info) => FitTo(info.Config, new SftSection().Lora);

    /// <summary>The adapters of a run, and for comparison one on every linear layer.</summary>
    public IEnumerable<AdapterSize> ListAdapters(ModelInfo info)
    {
        var (task, user) = (CreateTaskLora(info), CreateUserLora(info));
        var allLayers = user with { TargetModules = ["all-linear"] };
        return
        [
            new("task", task, task.CountParameters(info.Config)),
            new("user", user, user.CountParameters(info.Config)),
            new("user, all layers", allLayers, allLayers.CountParameters(info.Config)),
        ];
    }

    /// <summary>
    /// Bytes that the process has before it opens a model: .NET, libtorch and what they compile (measured on Linux).
    /// </summary>
    public const long ProcessBytes = 170_000_000;

    /// <summary>The number type that the model computes in on this machine's processor.</summary>
    public static ScalarType ChooseDtype(ModelInfo info) => ModelLoader.ChooseDtype(info, CPU) ?? info.Config.Dtype;

    /// <summary>Passes that run side by side: one a core where the model is small.</summary>
    public static int CountParallelPasses(ModelInfo info) =>
        TorchThreads.CountForPasses(CPU, info.WeightBytes(ChooseDtype(info)));

    /// <summary>
    /// The approximate bytes that each stage needs: the process, the weights, and the passes that run side by side.
    /// </summary>
    public IEnumerable<StageMemory> EstimateStages(ModelInfo info)
    {
        var examples = Batch * Users;
        var labels = Math.Min(AnswerLength, Length);
        var (task, user) = (CreateTaskLora(info), CreateUserLora(info));
        var predictBytes = DecodingBytes(info, 2 * Batch);
        return
        [
            new("train tam", Plural(Batch, "row"), TrainingBytes(info, Batch, Length, labels, task, adapters: 1)),
            new("train sft", Plural(examples, "row"), TrainingBytes(info, examples, Length, labels, user, Users)),
            new("negatives sample", Plural(Batch, "row"), DecodingBytes(info, Batch)),
            // Both answers of a pair follow one prompt in one row.
            new(
                "train dpo",
                Plural(examples, "pair"),
                TrainingBytes(info, examples, Length + labels, 2 * labels, user, Users)
            ),
            new("predict", Plural(2 * Batch, "row"), predictBytes),
            new("predict, int8 weights", Plural(2 * Batch, "row"), predictBytes - Saving(QuantizedDtype.Int8)),
            new("predict, q4 weights", Plural(2 * Batch, "row"), predictBytes - Saving(QuantizedDtype.Q4)),
        ];

        long Saving(QuantizedDtype dtype) => info.WeightBytes(ChooseDtype(info)) - info.QuantizedWeightBytes(dtype);
    }

    /// <summary>
    /// A batch is trained in passes of at most so many tokens, one after the other, or as many at once as run side by
    /// side.
    /// </summary>
    static long TrainingBytes(ModelInfo info, int rows, int tokens, int labels, LoraConfig lora, int adapters)
    {
        var rowsPerPass = Math.Clamp(TrainingOptions.UserAdapter.TokensPerPass / tokens, 1, rows);
        var passes = Math.Min(CountParallelPasses(info), (rows + rowsPerPass - 1) / rowsPerPass);
        var dtype = ChooseDtype(info);
        var held = info.TrainingBytes(0, tokens, adapters * lora.CountParameters(info.Config), dtype);
        var layers = info.Config.LayerCount * info.LayerBytes((long)rowsPerPass * tokens, dtype);
        return ProcessBytes + held + passes * (layers + info.LogitsBytes(rowsPerPass * labels));
    }

    /// <summary>The prompts come first, in passes of many tokens, one in each batch.</summary>
    long DecodingBytes(ModelInfo info, int rows)
    {
        var dtype = ChooseDtype(info);
        var batches = Math.Min(CountParallelPasses(info), rows);
        var rowsPerBatch = (rows + batches - 1) / batches;
        var promptTokens = Math.Min((long)rowsPerBatch * Length, new EngineOptions().PrefillTokens);
        var prompts = info.LayerBytes(Math.Max(Length, promptTokens), dtype);
        return ProcessBytes + info.DecodingBytes(rows, Length, dtype) + batches * prompts;
    }

    /// <summary>
    /// The adapter of a recipe on a model: where layers that it names are the rows of one weight, on that weight.
    /// </summary>
    LoraConfig FitTo(DecoderConfig model, LoraConfig lora) =>
        lora with
        {
            Rank = Rank ?? lora.Rank,
            TargetModules = [.. lora.TargetModules.Select(target => FindLayer(model, target)).Distinct()],
        };

    static string FindLayer(DecoderConfig model, string target) =>
        target switch
        {
            "q_proj" or "k_proj" or "v_proj" when model.FusedQueryKeyValue => "qkv_proj",
            "gate_proj" or "up_proj" when model.FusedGateUp => "gate_up_proj",
            _ => target,
        };

    static string Plural(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}

/// <summary>An adapter's shape and its number of weights.</summary>
sealed record AdapterSize(string Name, LoraConfig Lora, long Parameters);

/// <summary>The approximate memory of a stage, and what is in memory at once.</summary>
sealed record StageMemory(string Stage, string Rows, long Bytes);
