using CoPe.Adapters;
using CoPe.Modeling;
using CoPe.Tokens.Pipeline;
using CoPe.Training;

namespace CoPe.Experiments.Tests.Json;

/// <summary>What reads the files of a model: configurations, tokenizers, weights, checkpoints.</summary>
static class ModelJsonReaders
{
    const string Config =
        """{"hidden_size": 16, "model_type": "llama", "architectures": ["LlamaForCausalLM"], """
        + """ "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2, """
        + """ "vocab_size": 32, "max_position_embeddings": 64, "torch_dtype": "float32", "eos_token_id": [1, 2]}""";

    public static IEnumerable<JsonReader> All()
    {
        string[] config = ["CoPe/Modeling/ConfigJson.cs"];
        var model = typeof(ModelFileException);
        yield return new(config, "config.json", Config, model, folder => DecoderConfig.Read(folder));
        yield return new(
            config,
            "generation_config.json",
            """{"eos_token_id": [1, 2]}""",
            model,
            folder => DecoderConfig.Read(folder)
        )
        {
            Beside = new Dictionary<string, string> { ["config.json"] = Config },
            Tolerates = [JsonDamage.NullMember],
        };
        yield return new(
            config,
            "adapter_config.json",
            """{"r": 4, "peft_type": "LORA", "lora_alpha": 8, "target_modules": ["q_proj"]}""",
            model,
            folder =>
            {
                var json = ConfigJson.Read(Path.Combine(folder, "adapter_config.json"));
                AdapterConfigFile.Read(json);
                _ = new AdapterTargets(json);
            }
        );
        yield return new(
            config,
            "model.safetensors.index.json",
            """{"weight_map": {"a": "model-1.safetensors"}, "metadata": {"total_size": 4}}""",
            model,
            folder => CheckpointIndex.ReadShardNames(Path.Combine(folder, "model.safetensors.index.json"))
        )
        {
            Tolerates = [JsonDamage.HugeNumber, JsonDamage.NullElement],
        };
        yield return new(
            ["CoPe/Modeling/Safetensors/SafetensorsFile.cs"],
            "model.safetensors",
            """{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "__metadata__": null}""",
            model,
            folder => SafetensorsHeaders.Read(folder)
        )
        {
            Write = (path, header) =>
                File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, 0, 0, 0, 0]),
        };
        string[] tokens = ["CoPe/Tokens/Pipeline/JsonPart.cs"];
        yield return new(
            tokens,
            "tokenizer.json",
            """{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}""",
            typeof(TokenizerException),
            folder => TokenizerFile.Read(Path.Combine(folder, "tokenizer.json"))
        );
        yield return new(
            tokens,
            "tokenizer_config.json",
            """{"bos_token": {"content": "<s>"}, "add_bos_token": true, "additional_special_tokens": ["<x>"]}""",
            typeof(TokenizerException),
            folder => TokenizerConfig.Read(folder)
        )
        {
            Tolerates = [JsonDamage.HugeNumber],
        };
        yield return new(
            ["CoPe/Training/FolderCheckpointStore.cs"],
            "state-1/state.json",
            """{"Fingerprint": {"options": "ab"}, "Step": 5, "Users": "u", "Arrays": [{"Name": "a", "Length": 2}]}""",
            typeof(InvalidDataException),
            folder => new FolderCheckpointStore(folder).Load()
        )
        {
            Write = CheckpointFiles.WriteWithValidHash,
        };
    }
}
