using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Cli.Hosting;
using CoPe.Cli.Terminal;
using CoPe.Modeling;
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

    public static void Write(CommandHost host, string folder, DescribedModel model, bool isJson)
    {
        if (isJson)
        {
            host.Out.WriteLine(CreateJson(folder, model).ToJsonString(Indented));
        }
        else
        {
            WriteTables(host, folder, model);
        }
    }

    static void WriteTables(CommandHost host, string folder, DescribedModel model)
    {
        var (info, estimate, conflicts) = model;
        var console = host.CreateTableConsole();
        var facts = CreateTable();
        facts.ShowHeaders = false;
        facts.AddColumn(new TableColumn("name") { NoWrap = true });
        facts.AddColumn("value");
        foreach (var (name, value) in DescribeModel(folder, info))
        {
            facts.AddRow(name, TerminalText.ToMarkup(value));
        }

        foreach (var conflict in conflicts)
        {
            facts.AddRow("files disagree", TerminalText.ToMarkup(conflict));
        }

        console.Write(facts);
        var adapters = CreateTable("adapter", "rank", "layers", "weights", "file");
        foreach (var (name, lora, parameters) in estimate.ListAdapters(info))
        {
            adapters.AddRow(
                name,
                $"{lora.Rank}",
                string.Join(' ', lora.TargetModules).Replace("_proj", "", StringComparison.Ordinal),
                DisplayFormat.Count(parameters),
                DisplayFormat.Bytes(4 * parameters)
            );
        }

        console.WriteNumbers(adapters);
        var stages = CreateTable("stage", $"at once, {estimate.Length} tokens each", "memory, about");
        foreach (var (stage, rows, bytes) in estimate.EstimateStages(info))
        {
            stages.AddRow(stage, rows, DisplayFormat.Bytes(bytes));
        }

        console.WriteNumbers(stages);
    }

    /// <summary>A table whose last columns are numbers: the last one of up to three, the last two of more.</summary>
    static Table CreateTable(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Rounded };
        var numbers = columns.Length > 3 ? 2 : 1;
        foreach (var (i, heading) in columns.Index())
        {
            var column = new TableColumn(heading);
            table.AddColumn(i >= columns.Length - numbers ? column.RightAligned() : column);
        }

        return table;
    }

    static IEnumerable<(string Name, string Value)> DescribeModel(string folder, ModelInfo info)
    {
        var config = info.Config;
        var layers = $"{config.ModelType}, {config.LayerCount} layers";
        var cache = DisplayFormat.Bytes(info.CacheBytesPerToken(config.Dtype));
        var parameters = DisplayFormat.Count(info.ParameterCount);
        var dtypes =
            info.StoredTypes.Count > 0
                ? info.StoredTypes.Select(type => $"{type.Value} tensors in {type.Key}")
                : info.Dtypes.Select(dtype => $"{dtype.Value} tensors in {DisplayFormat.Dtype(dtype.Key)}");
        var license = info.LicenseFile is { } file ? Path.GetFileName(file) : "no license file in the folder";
        var head = config.TiedHead ? ", head tied to the embedding" : "";
        return
        [
            (File.Exists(folder) ? "file" : "folder", folder),
            ("architecture", $"{layers}, width {config.HiddenSize}, feed-forward {config.IntermediateSize}"),
            ("attention", DescribeAttention(config)),
            ("vocabulary", DisplayFormat.Number(config.VocabSize) + head),
            ("context", $"{DisplayFormat.Number(config.MaxPositions)} tokens, {cache} of cache each"),
            ("parameters", $"{parameters} ({DisplayFormat.Number(info.ParameterCount)})"),
            ("weights", $"{DisplayFormat.Bytes(info.WeightFileBytes)}, {string.Join(" and ", dtypes)}"),
            ("license", license),
        ];
    }

    static string DescribeAttention(DecoderConfig config)
    {
        var heads = $"{config.HeadCount} heads of {config.HeadDim}, {config.KeyValueHeadCount} for keys and values";
        if (config.SlidingWindow is not { } window)
        {
            return heads;
        }

        var layers = config.SlidingLayers.Count(slides => slides);
        return $"{heads}, window {window} in {layers} layers";
    }

    static JsonObject CreateJson(string folder, DescribedModel model)
    {
        var (info, estimate, conflicts) = model;
        return new()
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
            ["license_file"] = info.LicenseFile is { } file ? Path.GetFileName(file) : null,
            ["conflicts"] = new JsonArray([.. conflicts.Select(conflict => JsonValue.Create(conflict))]),
            ["adapters"] = new JsonArray([
                .. estimate
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
            ["batch"] = estimate.Batch,
            ["length"] = estimate.Length,
            ["users"] = estimate.Users,
            ["process_bytes"] = MemoryEstimate.ProcessBytes,
            ["compute_dtype"] = DisplayFormat.Dtype(MemoryEstimate.ChooseDtype(info)),
            ["parallel_passes"] = MemoryEstimate.CountParallelPasses(info),
            ["stages"] = new JsonArray([
                .. estimate
                    .EstimateStages(info)
                    .Select(stage => new JsonObject { ["stage"] = stage.Stage, ["bytes"] = stage.Bytes }),
            ]),
        };
    }
}

/// <summary>A model, what it needs, and where its files disagree.</summary>
sealed record DescribedModel(ModelInfo Info, MemoryEstimate Estimate, IReadOnlyList<string> Conflicts);
