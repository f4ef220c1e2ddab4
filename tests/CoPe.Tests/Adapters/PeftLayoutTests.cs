using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

/// <summary>
/// What is written for PEFT and transformers is held, key by key, against what they wrote themselves.
/// </summary>
[Collection("torch")]
public sealed class PeftLayoutTests : IDisposable
{
    /// <summary>Values that PEFT's LoraConfig has by itself, so that leaving the key out says the same.</summary>
    static readonly string[] Defaults = ["null", "{}", "[]", "false", "\"megatron.core\"", "16"];

    /// <summary>Keys that say nothing of what the adapter computes.</summary>
    static readonly string[] Notes = ["auto_mapping", "peft_version"];

    readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Adapters =>
        [
            .. GoldenFolders
                .Roots()
                .SelectMany(root => Directory.EnumerateFiles(root, "adapter_config.json", SearchOption.AllDirectories))
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>Models that PEFT made adapters for.</summary>
    public static TheoryData<string> Models =>
        [.. GoldenFolders.Entries("models", "*").Where(model => Directory.Exists(TaskAdapter(model)))];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Adapters))]
    public void A_configuration_says_what_PEFT_says_and_leaves_out_defaults_alone(string original)
    {
        var theirs = Json(original);
        var config = AdapterConfigFile.Read(ConfigJson.Read(original)) with
        {
            TargetModules = [.. theirs["target_modules"]!.AsArray().Select(target => (string)target!)],
        };
        AdapterConfigFile.Write(_folder.At("adapter_config.json"), config, (string)theirs["base_model_name_or_path"]!);
        var ours = Json(_folder.At("adapter_config.json"));

        foreach (var (key, value) in ours)
        {
            Assert.True(theirs.TryGetPropertyValue(key, out var expected), $"PEFT knows no key {key}.");
            if (key == "task_type" && expected is null)
            {
                continue; // An adapter without task loads into the same layers.
            }

            Assert.True(
                Same(expected, value),
                $"{key}: ours {value?.ToJsonString()}, PEFT's {expected?.ToJsonString()}"
            );
        }

        Assert.All(
            theirs.Where(pair => !ours.ContainsKey(pair.Key) && !Notes.Contains(pair.Key)),
            pair => Assert.Contains(pair.Value?.ToJsonString() ?? "null", Defaults)
        );
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void A_merged_folder_has_the_files_tensors_and_types_of_the_folder_that_transformers_wrote(string original)
    {
        Merge(original, AdapterMerge.DefaultShardBytes);

        Assert.Equal(Names(original), Names(_folder.At("merged")));
        foreach (var file in Directory.EnumerateFiles(original, "*.json"))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(_folder.At($"merged/{Path.GetFileName(file)}")));
        }

        var (theirs, ours) = (
            Header(Path.Combine(original, "model.safetensors")),
            Header(_folder.At("merged/model.safetensors"))
        );
        Assert.Equal(
            theirs.Select(entry => (entry.Key, entry.Value!.ToJsonString())),
            ours.Select(entry => (entry.Key, entry.Value!.ToJsonString()))
        );
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Shards_are_named_indexed_and_filled_as_transformers_does(string original)
    {
        Merge(original, new FileInfo(Path.Combine(original, "model.safetensors")).Length / 3);

        var index = Json(_folder.At("merged/model.safetensors.index.json"));
        Assert.Equal(["metadata", "weight_map"], index.Select(pair => pair.Key));
        var shards = Directory
            .EnumerateFiles(_folder.At("merged"), "*.safetensors")
            .Order(StringComparer.Ordinal)
            .ToList();
        Assert.Equal(
            Enumerable
                .Range(1, shards.Count)
                .Select(number => $"model-{number:00000}-of-{shards.Count:00000}.safetensors"),
            shards.Select(Path.GetFileName)
        );
        var held = shards
            .SelectMany(shard =>
                Header(shard)
                    .Where(entry => entry.Key != "__metadata__")
                    .Select(entry => (entry.Key, Path.GetFileName(shard)))
            )
            .ToList();
        Assert.Equal(
            held.Order(),
            index["weight_map"]!.AsObject().Select(pair => (pair.Key, (string)pair.Value!)).Order()!
        );
        Assert.Equal(
            Header(Path.Combine(original, "model.safetensors"))
                .Select(entry => entry.Key)
                .Where(key => key != "__metadata__")
                .Order(StringComparer.Ordinal),
            held.Select(entry => entry.Key).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Merged_weights_on_disk_are_those_of_PEFT(string original)
    {
        using var scope = NewDisposeScope();
        var file = Path.Combine(original, "..", "..", "lora", Path.GetFileName(original) + ".safetensors");
        if (!File.Exists(file))
        {
            return;
        }

        Merge(original, AdapterMerge.DefaultShardBytes);
        using var golden = SafetensorsFile.Open(file);
        using var merged = SafetensorsFile.Open(_folder.At("merged/model.safetensors"));
        const string Kind = "tam_merged.";

        var compared = golden
            .Entries.Select(entry => entry.Name)
            .Where(name => name.StartsWith(Kind, StringComparison.Ordinal))
            .ToList();
        Assert.NotEmpty(compared);
        Assert.All(
            compared,
            name => TinyModels.AssertClose(golden.Read(name), merged.Read(GoldenTensors.ToWeightName(name)), 1e-6)
        );
    }

    void Merge(string original, long maxShardBytes)
    {
        using var bank = AdapterFile.Read(TaskAdapter(original), DecoderConfig.Read(original));
        AdapterMerge.WriteModelFolder(original, [bank], _folder.At("merged"), maxShardBytes);
    }

    static string TaskAdapter(string model) =>
        Path.Combine(model, "..", "..", "adapters", Path.GetFileName(model), "tam");

    static IEnumerable<string?> Names(string path) =>
        Directory.EnumerateFileSystemEntries(path).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    static JsonObject Json(string file) => JsonNode.Parse(File.ReadAllText(file))!.AsObject();

    static bool Same(JsonNode? a, JsonNode? b) =>
        (a, b) switch
        {
            (JsonArray first, JsonArray second) => first
                .Select(one => one!.ToJsonString())
                .Order(StringComparer.Ordinal)
                .SequenceEqual(second.Select(one => one!.ToJsonString()).Order(StringComparer.Ordinal)),
            (JsonValue first, JsonValue second) when first.GetValueKind() == JsonValueKind.Number =>
                second.GetValueKind() == JsonValueKind.Number && (double)first == (double)second,
            _ => JsonNode.DeepEquals(a, b),
        };

    /// <summary>
    /// The header as it stands in the file, which must begin the data at a multiple of eight and leave no hole.
    /// </summary>
    static JsonObject Header(string file)
    {
        var bytes = File.ReadAllBytes(file);
        var length = checked((int)BinaryPrimitives.ReadInt64LittleEndian(bytes));
        Assert.Equal(0, length % 8);
        var header = JsonNode.Parse(bytes.AsSpan(8, length))!.AsObject();
        Assert.Equal("{\"format\":\"pt\"}", header["__metadata__"]!.ToJsonString());
        var end = 0L;
        foreach (
            var (_, entry) in header
                .Where(pair => pair.Key != "__metadata__")
                .OrderBy(pair => (long)pair.Value!["data_offsets"]![0]!)
        )
        {
            Assert.Equal(["dtype", "shape", "data_offsets"], entry!.AsObject().Select(pair => pair.Key));
            Assert.Equal(end, (long)entry["data_offsets"]![0]!);
            end = (long)entry["data_offsets"]![1]!;
        }

        Assert.Equal(bytes.Length, 8 + length + end);
        return header;
    }
}
