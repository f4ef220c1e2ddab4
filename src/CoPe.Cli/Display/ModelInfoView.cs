using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Modeling;
using CoPe.Training;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>A model's sizes as tables or as JSON.</summary>
static class ModelInfoView
{
    static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Write(CommandHost host, string folder, ModelInfo info, MemoryEstimate needs, bool isJson)
    {
        if (isJson)
        {
            host.Out.WriteLine(CreateJson(folder, info, needs).ToJsonString(Indented));
        }
        else
        {
            WriteTables(host, folder, info, needs);
        }
    }

    static void WriteTables(CommandHost host, string folder, ModelInfo info, MemoryEstimate needs)
    {
        var console = host.CreateTableConsole();
        var facts = CreateTable();
        facts.ShowHeaders = false;
        facts.AddColumn(new TableColumn("what") { NoWrap = true });
        facts.AddColumn("value");
        foreach (var (what, value) in DescribeModel(folder, info))
        {
            facts.AddRow(what, Markup.Escape(value));
        }

        console.Write(facts);
        var adapters = CreateTable("adapter", "rank", "layers", "weights", "file");
        foreach (var (name, lora, parameters) in needs.ListAdapters(info))
        {
            adapters.AddRow(
                name,
                $"{lora.Rank}",
                string.Join(' ', lora.TargetModules).Replace("_proj", "", StringComparison.Ordinal),
                DisplayFormat.Count(parameters),
                DisplayFormat.Bytes(4 * parameters)
            );
        }

        console.Write(adapters);
        var stages = CreateTable("stage", $"at once, {needs.Length} tokens each", "memory, about");
        foreach (var (stage, rows, bytes) in needs.EstimateStages(info))
        {
            stages.AddRow(stage, rows, DisplayFormat.Bytes(bytes));
        }

        console.Write(stages);
    }

    static Table CreateTable(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Rounded };
        for (var i = 0; i < columns.Length; i++)
        {
            var column = new TableColumn(columns[i]);
            table.AddColumn(
                i >= columns.Length - 2 && columns.Length > 3 || i == columns.Length - 1
                    ? column.RightAligned()
                    : column
            );
        }
        return table;
    }

    static IEnumerable<(string What, string Value)> DescribeModel(string folder, ModelInfo info)
    {
        var config = info.Config;
        yield return ("folder", folder);
        yield return (
            "architecture",
            $"{config.ModelType}, {config.LayerCount} layers, width {config.HiddenSize}, feed-forward {config.IntermediateSize}"
        );
        yield return (
            "attention",
            $"{config.HeadCount} heads of {config.HeadDim}, {config.KeyValueHeadCount} for keys and values{(config.SlidingWindow is { } window ? $", window {window} in {config.SlidingLayers.Count(slides => slides)} layers" : "")}"
        );
        yield return (
            "vocabulary",
            $"{DisplayFormat.Number(config.VocabSize)}{(config.TiedHead ? ", head tied to the embedding" : "")}"
        );
        yield return (
            "context",
            $"{DisplayFormat.Number(config.MaxPositions)} tokens, {DisplayFormat.Bytes(info.CacheBytesPerToken(config.Dtype))} of cache each"
        );
        yield return (
            "parameters",
            $"{DisplayFormat.Count(info.ParameterCount)} ({DisplayFormat.Number(info.ParameterCount)})"
        );
        yield return (
            "weights",
            $"{DisplayFormat.Bytes(info.WeightFileBytes)}, {string.Join(" and ", info.Dtypes.Select(dtype => $"{dtype.Value} tensors in {DisplayFormat.Dtype(dtype.Key)}"))}"
        );
        yield return (
            "licence",
            info.LicenseFile is { } file ? Path.GetFileName(file) : "no licence file in the folder"
        );
    }

    static JsonObject CreateJson(string folder, ModelInfo info, MemoryEstimate needs) =>
        new()
        {
            ["folder"] = folder,
            ["model_type"] = info.Config.ModelType,
            ["layers"] = info.Config.LayerCount,
            ["hidden_size"] = info.Config.HiddenSize,
            ["intermediate_size"] = info.Config.IntermediateSize,
            ["heads"] = info.Config.HeadCount,
            ["key_value_heads"] = info.Config.KeyValueHeadCount,
            ["head_dim"] = info.Config.HeadDim,
            ["vocabulary"] = info.Config.VocabSize,
            ["context"] = info.Config.MaxPositions,
            ["sliding_window"] = info.Config.SlidingWindow,
            ["tied_head"] = info.Config.TiedHead,
            ["parameters"] = info.ParameterCount,
            ["dtype"] = DisplayFormat.Dtype(info.Config.Dtype),
            ["file_bytes"] = info.WeightFileBytes,
            ["cache_bytes_per_token"] = info.CacheBytesPerToken(info.Config.Dtype),
            ["licence_file"] = info.LicenseFile is { } file ? Path.GetFileName(file) : null,
            ["adapters"] = new JsonArray([
                .. needs
                    .ListAdapters(info)
                    .Select(adapter => new JsonObject
                    {
                        ["name"] = adapter.Name,
                        ["rank"] = adapter.Lora.Rank,
                        ["target_modules"] = new JsonArray([
                            .. adapter.Lora.TargetModules.Select(target => JsonValue.Create(target)),
                        ]),
                        ["parameters"] = adapter.Parameters,
                        ["file_bytes"] = 4 * adapter.Parameters,
                    }),
            ]),
            ["batch"] = needs.Batch,
            ["length"] = needs.Length,
            ["users"] = needs.Users,
            ["stages"] = new JsonArray([
                .. needs
                    .EstimateStages(info)
                    .Select(stage => new JsonObject { ["stage"] = stage.Stage, ["bytes"] = stage.Bytes }),
            ]),
        };
}

/// <summary>What is to be done with a model, and from that the adapters' sizes and each stage's memory.</summary>
sealed record MemoryEstimate
{
    public int Batch { get; init; } = 8;

    public int Length { get; init; } = 2048;

    public int AnswerLength { get; init; } = 100;

    public int Users { get; init; } = 1;

    /// <summary>Rank of all adapters; null takes the recipes'.</summary>
    public int? Rank { get; init; }

    LoraConfig TaskLora => new TamSection().Lora is var lora && Rank is { } rank ? lora with { Rank = rank } : lora;

    LoraConfig UserLora => new SftSection().Lora is var lora && Rank is { } rank ? lora with { Rank = rank } : lora;

    /// <summary>
    /// The adapters of a run, and for comparison one on every linear layer: what it is, its shape, its number of
    /// weights.
    /// </summary>
    public IEnumerable<(string Name, LoraConfig Lora, long Parameters)> ListAdapters(ModelInfo info)
    {
        yield return ("task", TaskLora, info.CountParameters(TaskLora));
        yield return ("user", UserLora, info.CountParameters(UserLora));
        var all = UserLora with { TargetModules = ["all-linear"] };
        yield return ("user, all layers", all, info.CountParameters(all));
    }

    /// <summary>About the bytes that each stage needs, weights and one pass of the batch and length together.</summary>
    public IEnumerable<(string Stage, string Rows, long Bytes)> EstimateStages(ModelInfo info)
    {
        var dtype = info.Config.Dtype;
        var labels = Math.Min(AnswerLength, Length);
        // A batch is taken in passes of so many tokens, one after the other.
        long Train(int rows, int tokens, int labelled, LoraConfig lora, int adapters)
        {
            var together = Math.Clamp(TrainingOptions.UserAdapter.TokensPerPass / tokens, 1, rows);
            return info.TrainingBytes(together, tokens, lora, adapters, dtype) + info.LogitsBytes(together * labelled);
        }
        // Prompts come first, in passes of many tokens.
        long Decode(int rows) =>
            info.DecodingBytes(rows, Length, dtype)
            + info.LayerBytes(
                Math.Max(Length, Math.Min((long)rows * Length, new EngineOptions().PrefillTokens)),
                dtype
            );
        yield return ("train tam", CountRows(Batch), Train(Batch, Length, labels, TaskLora, 1));
        yield return ("train sft", CountRows(Batch * Users), Train(Batch * Users, Length, labels, UserLora, Users));
        yield return ("negatives sample", CountRows(Batch), Decode(Batch));
        // Both answers of a pair follow one prompt in one row.
        yield return (
            "train dpo",
            WithUnit(Batch * Users, "pair"),
            Train(Batch * Users, Length + labels, 2 * labels, UserLora, Users)
        );
        yield return ("predict", CountRows(2 * Batch), Decode(2 * Batch));
        yield return (
            "predict, int8 weights",
            CountRows(2 * Batch),
            Decode(2 * Batch) - info.WeightBytes(dtype) + info.Int8WeightBytes
        );
    }

    static string CountRows(int count) => WithUnit(count, "row");

    static string WithUnit(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";
}
