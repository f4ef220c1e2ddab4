using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Modeling;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>A model's sizes as tables or as JSON.</summary>
static class ModelInfoView
{
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(CommandHost host, string folder, ModelInfo info, ModelNeeds needs, bool isJson)
    {
        if (isJson) host.Out.WriteLine(Json(folder, info, needs).ToJsonString(Indented));
        else WriteTables(host, folder, info, needs);
    }

    static void WriteTables(CommandHost host, string folder, ModelInfo info, ModelNeeds needs)
    {
        var console = host.Tables();
        var facts = Table();
        facts.ShowHeaders = false;
        facts.AddColumn(new TableColumn("what") { NoWrap = true });
        facts.AddColumn("value");
        foreach (var (what, value) in Facts(folder, info)) facts.AddRow(what, Markup.Escape(value));
        console.Write(facts);
        var adapters = Table("adapter", "rank", "layers", "weights", "file");
        foreach (var (name, lora, parameters) in needs.Adapters(info))
            adapters.AddRow(name, $"{lora.Rank}", string.Join(' ', lora.TargetModules).Replace("_proj", "", StringComparison.Ordinal), Words.Count(parameters), Words.Bytes(4 * parameters));
        console.Write(adapters);
        var stages = Table("stage", $"at once, {needs.Length} tokens each", "memory, about");
        foreach (var (stage, rows, bytes) in needs.Stages(info)) stages.AddRow(stage, rows, Words.Bytes(bytes));
        console.Write(stages);
    }

    static Table Table(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Rounded };
        for (var i = 0; i < columns.Length; i++)
        {
            var column = new TableColumn(columns[i]);
            table.AddColumn(i >= columns.Length - 2 && columns.Length > 3 || i == columns.Length - 1 ? column.RightAligned() : column);
        }
        return table;
    }

    static IEnumerable<(string What, string Value)> Facts(string folder, ModelInfo info)
    {
        var config = info.Config;
        yield return ("folder", folder);
        yield return ("architecture", $"{config.ModelType}, {config.LayerCount} layers, width {config.HiddenSize}, feed-forward {config.IntermediateSize}");
        yield return ("attention", $"{config.HeadCount} heads of {config.HeadDim}, {config.KeyValueHeadCount} for keys and values{(config.SlidingWindow is { } window ? $", window {window} in {config.SlidingLayers.Count(slides => slides)} layers" : "")}");
        yield return ("vocabulary", $"{Words.Number(config.VocabSize)}{(config.TiedHead ? ", head tied to the embedding" : "")}");
        yield return ("context", $"{Words.Number(config.MaxPositions)} tokens, {Words.Bytes(info.CacheBytesPerToken(config.Dtype))} of cache each");
        yield return ("parameters", $"{Words.Count(info.ParameterCount)} ({Words.Number(info.ParameterCount)})");
        yield return ("weights", $"{Words.Bytes(info.FileBytes)}, {string.Join(" and ", info.Dtypes.Select(dtype => $"{dtype.Value} tensors in {Words.Dtype(dtype.Key)}"))}");
        yield return ("licence", info.LicenceFile is { } file ? Path.GetFileName(file) : "no licence file in the folder");
    }

    static JsonObject Json(string folder, ModelInfo info, ModelNeeds needs) => new()
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
        ["dtype"] = Words.Dtype(info.Config.Dtype),
        ["file_bytes"] = info.FileBytes,
        ["cache_bytes_per_token"] = info.CacheBytesPerToken(info.Config.Dtype),
        ["licence_file"] = info.LicenceFile is { } file ? Path.GetFileName(file) : null,
        ["adapters"] = new JsonArray([.. needs.Adapters(info).Select(adapter => new JsonObject
        {
            ["name"] = adapter.Name, ["rank"] = adapter.Lora.Rank, ["target_modules"] = new JsonArray([.. adapter.Lora.TargetModules.Select(target => JsonValue.Create(target))]),
            ["parameters"] = adapter.Parameters, ["file_bytes"] = 4 * adapter.Parameters,
        })]),
        ["batch"] = needs.Batch,
        ["length"] = needs.Length,
        ["users"] = needs.Users,
        ["stages"] = new JsonArray([.. needs.Stages(info).Select(stage => new JsonObject { ["stage"] = stage.Stage, ["bytes"] = stage.Bytes })]),
    };
}
