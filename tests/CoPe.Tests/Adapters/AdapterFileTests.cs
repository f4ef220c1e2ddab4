using System.Text.Json.Nodes;
using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Testing;
using static TorchSharp.torch;

namespace CoPe.Tests.Adapters;

[Collection("torch")]
public class AdapterFileTests
{
    [Fact]
    public void Adapters_read_together_are_those_read_one_by_one()
    {
        using var folder = new TemporaryFolder();
        using var bank = TinyModels.Adapters(TinyModels.Plain, 3);
        List<string> folders = [];
        foreach (var index in (int[])[2, 0, 1, 0])
        {
            folders.Add(Directory.CreateDirectory(folder.At($"{index}")).FullName);
            AdapterFile.Write(folders[^1], bank, index, "base");
        }

        using var read = AdapterFile.ReadAll(folders, TinyModels.Plain);

        Assert.Equal(4, read.Count);
        foreach (var (place, index) in ((int[])[2, 0, 1, 0]).Index())
        {
            using var found = read.Extract(place);
            using var expected = bank.Extract(index);
            Assert.All(
                expected.Parameters().Zip(found.Parameters()),
                pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>())
            );
        }
    }

    [Theory]
    [InlineData(3, 5.0, false, "q_proj", "down_proj")]
    [InlineData(1, 2.5, true, "all-linear")]
    public void An_adapter_written_is_read_again(int rank, double alpha, bool rsLora, params string[] targets)
    {
        using var folder = new TemporaryFolder();
        using var bank = TinyModels.Adapters(
            TinyModels.Everything,
            2,
            new LoraConfig
            {
                Rank = rank,
                Alpha = alpha,
                UseRsLora = rsLora,
                TargetModules = targets,
            }
        );
        AdapterFile.Write(folder.Path, bank, 1, "some/model");
        using var read = AdapterFile.Read(folder.Path, TinyModels.Everything);
        using var expected = bank.Extract(1);
        Assert.Equal(bank.Config.Scaling, read.Config.Scaling);
        Assert.Equal(expected.LayerNames, read.LayerNames);
        Assert.All(
            expected.Parameters().Zip(read.Parameters()),
            pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>())
        );
    }

    [Fact]
    public void An_adapter_on_some_layers_can_be_read_written_and_read_again()
    {
        using TemporaryFolder first = new(),
            second = new();
        using var bank = TinyModels.Adapters(
            TinyModels.Everything,
            1,
            new LoraConfig { Rank = 2, TargetModules = ["layers.1.self_attn.q_proj", "down_proj"] }
        );
        AdapterFile.Write(first.Path, bank, 0, "");
        using var read = AdapterFile.Read(first.Path, TinyModels.Everything);
        AdapterFile.Write(second.Path, read, 0, "");
        using var again = AdapterFile.Read(second.Path, TinyModels.Everything);
        Assert.Equal(bank.LayerNames, again.LayerNames);
    }

    [Fact]
    public void An_adapter_of_peft_written_again_has_the_same_weights_file()
    {
        foreach (var original in GoldenFolders.Entries("adapters", "*").SelectMany(Directory.GetDirectories))
        {
            using var folder = new TemporaryFolder();
            var model = DecoderConfig.Read(
                Path.Combine(original, "..", "..", "..", "models", Path.GetFileName(Path.GetDirectoryName(original))!)
            );
            using var bank = AdapterFile.Read(original, model);
            AdapterFile.Write(folder.Path, bank, 0, "");
            Assert.Equal(
                File.ReadAllBytes(Path.Combine(original, "adapter_model.safetensors")),
                File.ReadAllBytes(folder.At("adapter_model.safetensors"))
            );
            var (ours, theirs) = (
                Json(folder.At("adapter_config.json")),
                Json(Path.Combine(original, "adapter_config.json"))
            );
            Assert.All(
                new[]
                {
                    "r",
                    "lora_alpha",
                    "lora_dropout",
                    "peft_type",
                    "bias",
                    "use_rslora",
                    "use_dora",
                    "fan_in_fan_out",
                },
                key =>
                    Assert.Equal(
                        theirs[key]!.ToJsonString().Replace(".0", "", StringComparison.Ordinal),
                        ours[key]!.ToJsonString().Replace(".0", "", StringComparison.Ordinal)
                    )
            );
            Assert.Equal(Targets(theirs), Targets(ours));
            Assert.All(ours, key => Assert.True(theirs.ContainsKey(key.Key), $"PEFT knows no key {key.Key}."));
        }

        static JsonObject Json(string file) => JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        static IEnumerable<string> Targets(JsonObject json) =>
            json["target_modules"]!.AsArray().Select(t => (string)t!).Order();
    }

    public static TheoryData<string, string, string> Unsupported =>
        new()
        {
            { "use_dora", "true", "use_dora" },
            { "modules_to_save", "[\"lm_head\"]", "modules_to_save" },
            { "rank_pattern", "{\"q_proj\": 4}", "model and rank 4 imply" },
            { "rank_pattern", "{\"q_proj\": 0}", "rank_pattern.q_proj: is 0" },
            { "rank_pattern", "{\"(\": 4}", "rank_pattern: is no regular expression" },
            { "rank_pattern", "[4]", "rank_pattern" },
            { "alpha_pattern", "{\"q_proj\": -1}", "alpha_pattern.q_proj" },
            { "exclude_modules", "[\"down_proj\"]", "model.layers.0.mlp.down_proj: has lora tensors, but" },
            { "exclude_modules", "\".*0.mlp.down_proj\"", "model.layers.0.mlp.down_proj: has lora tensors, but" },
            { "peft_type", "\"IA3\"", "IA3" },
            { "bias", "\"all\"", "bias" },
            { "fan_in_fan_out", "true", "fan_in_fan_out" },
            { "layers_to_transform", "[0]", "model.layers.1.self_attn.q_proj: has lora tensors, but" },
            { "layers_to_transform", "1", "model.layers.0.self_attn.q_proj: has lora tensors, but" },
            { "use_bdlora", "{\"blocks\": 2}", "use_bdlora" },
            { "a_switch_of_next_year", "true", "a_switch_of_next_year" },
            { "task_type", "\"SEQ_CLS\"", "SEQ_CLS" },
            { "r", "0", "Rank is 0" },
            { "r", "\"four\"", "r: is \"four\"" },
            { "r", "4", "rank 4 imply" },
            { "lora_alpha", "null", "lora_alpha" },
            { "init_lora_weights", "\"pissa_niter_4\"", "pissa_niter_4" },
            { "init_lora_weights", "\"lora_ga\"", "lora_ga" },
            { "init_lora_weights", "\"OLoRA\"", "OLoRA" },
            { "init_lora_weights", "\"mine\"", "mine" },
            { "init_lora_weights", "2", "init_lora_weights" },
            {
                "target_modules",
                "[\"q_proj\", \"v_proj\", \"down_proj\", \"up_proj\"]",
                "model.layers.0.mlp.up_proj: has no lora_A and lora_B tensors"
            },
            {
                "target_modules",
                "[\"q_proj\", \"v_proj\"]",
                "model.layers.0.mlp.down_proj: has lora tensors, but target_modules"
            },
            { "target_modules", "\"all-linear\"", "model.layers.0.self_attn.k_proj: has no lora_A" },
            { "target_modules", "\"model.*(q|v)_proj\"", "model.layers.0.mlp.down_proj: has lora tensors" },
            { "target_modules", "\"(\"", "target_modules: is no regular expression" },
            { "target_modules", "3", "target_modules: is 3" },
        };

    [Theory]
    [MemberData(nameof(Unsupported))]
    public void Features_that_are_not_computed_are_refused_by_name(string key, string value, string named)
    {
        using var folder = new TemporaryFolder();
        using var bank = TinyModels.Adapters(TinyModels.Plain, 1);
        AdapterFile.Write(folder.Path, bank, 0, "");
        var json = JsonNode.Parse(File.ReadAllText(folder.At("adapter_config.json")))!;
        json[key] = JsonNode.Parse(value);
        File.WriteAllText(folder.At("adapter_config.json"), json.ToJsonString());
        Assert.Contains(
            named,
            Assert.Throws<ModelFileException>(() => AdapterFile.Read(folder.Path, TinyModels.Plain)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_adapter_of_another_model_is_refused_with_the_tensor()
    {
        using var folder = new TemporaryFolder();
        using var bank = TinyModels.Adapters(TinyModels.Plain, 1);
        AdapterFile.Write(folder.Path, bank, 0, "");
        Assert.Contains("model.layers.1.", Refusal(TinyModels.Plain with { LayerCount = 1 }), StringComparison.Ordinal);
        Assert.Contains(
            "model.layers.2.self_attn.q_proj: has no lora_A and lora_B tensors, though target_modules",
            Refusal(TinyModels.Plain with { LayerCount = 3 }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "down_proj.lora_A.weight: has shape [3, 24]; model and rank 3 imply [3, 20]",
            Refusal(TinyModels.Plain with { IntermediateSize = 20 }),
            StringComparison.Ordinal
        );

        string Refusal(DecoderConfig model) =>
            Assert.Throws<ModelFileException>(() => AdapterFile.Read(folder.Path, model)).Message;
    }

    [Theory]
    [InlineData("""["layers.0.self_attn.q_proj", "layers.1.self_attn.q_proj", "v_proj", "down_proj"]""")]
    [InlineData("\".*\\\\.(q_proj|v_proj|down_proj)\"")]
    [InlineData("\"model\\\\.language_model\\\\.layers\\\\.\\\\d+\\\\.(self_attn\\\\.[qv]|mlp\\\\.down)_proj\"")]
    [InlineData("null")]
    public void Target_modules_may_be_said_in_any_way_that_PEFT_reads(string targets)
    {
        using var folder = new TemporaryFolder();
        using var bank = TinyModels.Adapters(TinyModels.Plain, 1);
        AdapterFile.Write(folder.Path, bank, 0, "");
        var json = JsonNode.Parse(File.ReadAllText(folder.At("adapter_config.json")))!;
        json["target_modules"] = JsonNode.Parse(targets);
        File.WriteAllText(folder.At("adapter_config.json"), json.ToJsonString());
        using var read = AdapterFile.Read(folder.Path, TinyModels.Plain);
        Assert.Equal(bank.LayerNames, read.LayerNames);
    }

    [Theory]
    [InlineData("base_model.model.lm_head.weight")]
    [InlineData("base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector")]
    [InlineData("model.layers.0.self_attn.q_proj.lora_A.weight")]
    public void Tensors_that_are_no_factors_are_refused(string name)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var bank = TinyModels.Adapters(TinyModels.Plain, 1);
        AdapterFile.Write(folder.Path, bank, 0, "");
        SafetensorsWriter.Write(
            folder.At("adapter_model.safetensors"),
            new Dictionary<string, Tensor> { [name] = ones(3, 16) }
        );
        Assert.Contains(
            name,
            Assert.Throws<ModelFileException>(() => AdapterFile.Read(folder.Path, TinyModels.Plain)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_lonely_factor_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        using var bank = TinyModels.Adapters(TinyModels.Plain, 1);
        AdapterFile.Write(folder.Path, bank, 0, "");
        SafetensorsWriter.Write(
            folder.At("adapter_model.safetensors"),
            new Dictionary<string, Tensor>
            {
                ["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"] = ones(3, 16),
            }
        );
        Assert.Contains(
            "lora_B.weight is missing",
            Assert.Throws<ModelFileException>(() => AdapterFile.Read(folder.Path, TinyModels.Plain)).Message,
            StringComparison.Ordinal
        );
    }
}
