using System.Security.Cryptography;
using CoPe.Adapters;
using CoPe.Cli.Hub;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Fuzz.Mutations;
using CoPe.Gguf;
using CoPe.Modeling;
using CoPe.Modeling.Safetensors;
using CoPe.Tokens;
using CoPe.Training;
using TorchSharp;

namespace CoPe.Fuzz.Readers;

/// <summary>Files of tensors: weights, adapters, checkpoints.</summary>
static class WeightReaders
{
    const string Snapshot = $"snapshots/abc/{ShardedCheckpoint.IndexFileName}";
    const string Weights = ShardedCheckpoint.SingleFileName;
    const string AdapterConfig = AdapterFile.ConfigFileName;
    const string AdapterWeights = AdapterFile.WeightsFileName;

    public static IEnumerable<FuzzedReader> All =>
        [
            new()
            {
                Name = "safetensors",
                Format = InputFormat.Safetensors,
                Covers = [],
                Seeds = scratch => [ReadSeed(SampleModel.WriteAdapter(scratch, "adapter-seed"), AdapterWeights)],
                Open = scratch =>
                    input =>
                    {
                        using var file = SafetensorsFile.Open(scratch.Write("x.safetensors", input));
                        foreach (var entry in file.Entries)
                        {
                            file.Read(entry.Name).Dispose();
                        }
                    },
                File = "x.safetensors",
            },
            new()
            {
                Name = "shard-index",
                Format = InputFormat.Json,
                Covers = ["CausalLm.Load"],
                Seeds = scratch => [ReadIndex(SampleModel.WriteTo(scratch, "index-seed"))],
                Open = OpenShards,
                Share = 1,
            },
            new()
            {
                Name = "hub-snapshot",
                Format = InputFormat.Json,
                Covers = ["HubFiles.FindMissing"],
                Seeds = scratch => [ReadIndex(SampleModel.WriteTo(scratch, "index-seed"))],
                Open = scratch => input => HubFiles.FindMissing(Path.GetDirectoryName(scratch.Write(Snapshot, input))!),
                File = ShardedCheckpoint.IndexFileName,
            },
            new()
            {
                Name = "weights",
                Format = InputFormat.Safetensors,
                Covers = ["CausalLm.Load", "CausalLm.LoadQuantized", "ModelLoader.Load", "ServingEngine.Load"],
                Seeds = scratch => [ReadSeed(SampleModel.WriteTo(scratch, "weights-seed"), Weights)],
                Open = OpenWeights,
                Share = 1,
            },
            new()
            {
                Name = "gguf",
                Format = InputFormat.Binary,
                Covers = ["GgufFile.Open", "CausalLm.Load", "DecoderConfig.Read", "Tokenizer.Load"],
                Seeds = GgufSeeds,
                Open = OpenGguf,
                Words =
                [
                    "llama.block_count",
                    "llama.rope.scaling.type",
                    "tokenizer.ggml.tokens",
                    "blk.0.attn_q.weight",
                    "general.alignment",
                    "rope_freqs.weight",
                    "split.count",
                ],
                File = "x.gguf",
                Share = 2,
            },
            new()
            {
                Name = "adapter-config",
                Format = InputFormat.Json,
                Covers = ["AdapterFile.Read"],
                Seeds = scratch =>
                    [
                        ReadSeed(SampleModel.WriteAdapter(scratch, "adapter-seed"), AdapterConfig),
                        Bytes.Of(
                            """
                            {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "x", "r": 2,
                             "lora_alpha": 4, "lora_dropout": 0.1, "target_modules": ["q_proj", "v_proj"],
                             "bias": "none", "use_rslora": true, "init_lora_weights": true, "modules_to_save": null,
                             "rank_pattern": {}, "alpha_pattern": {}, "layers_to_transform": null,
                             "inference_mode": true, "fan_in_fan_out": false, "peft_version": "0.17.0"}
                            """
                        ),
                    ],
                Open = scratch => FeedAdapter(scratch, "adapter", AdapterConfig),
                File = "adapter_", // Of the two files, the one in which a mismatch shows.
                Share = 2,
            },
            new()
            {
                Name = "adapter-weights",
                Format = InputFormat.Safetensors,
                Covers = ["AdapterFile.Read"],
                Seeds = scratch => [ReadSeed(SampleModel.WriteAdapter(scratch, "adapter-seed"), AdapterWeights)],
                Open = scratch => FeedAdapter(scratch, "adapter-2", AdapterWeights),
                File = AdapterWeights,
                Share = 2,
            },
            new()
            {
                Name = "checkpoint",
                Format = InputFormat.Json,
                Covers = [],
                Seeds = _ =>
                    Bytes.OfAll(
                        """
                        {"Fingerprint": {"options": "ab"}, "Step": 7, "Users": "[]",
                         "Arrays": [{"Name": "weights", "Length": 2}, {"Name": "best", "Length": 1}]}
                        """
                    ),
                Open = OpenCheckpoint,
                AlsoThrows = [typeof(InvalidDataException)],
                File = "state-1",
            },
        ];

    /// <summary>The sample model in numbers of 32 and of 16 bits.</summary>
    static IEnumerable<byte[]> GgufSeeds(Scratch scratch)
    {
        var folder = SampleModel.WriteTo(scratch, "gguf-seed");
        var file = scratch.At("seed.gguf");
        foreach (var type in (GgufType[])[GgufType.F32, GgufType.Bf16])
        {
            GgufExport.WriteModel(folder, [], file, type, "sample");
            yield return File.ReadAllBytes(file);
        }
    }

    static Action<byte[]> OpenGguf(Scratch scratch)
    {
        var turn = 0;
        return input =>
        {
            var file = scratch.Write("x.gguf", input);
            if (turn++ % 2 == 0)
            {
                Tokenizer.Load(file).Encode("the red sky");
                return;
            }

            CausalLm.Load(file).Dispose();
        };
    }

    static byte[] ReadSeed(string folder, string file) => File.ReadAllBytes(Path.Combine(folder, file));

    static byte[] ReadIndex(string folder)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, Weights));
        var map = file.Entries.Select(entry => $"\"{entry.Name}\": \"one.safetensors\"");
        return Bytes.Of($$$"""{"metadata": {"total_size": 1}, "weight_map": {{{{string.Join(", ", map)}}}}}""");
    }

    static Action<byte[]> OpenShards(Scratch scratch)
    {
        var folder = SampleModel.WriteTo(scratch, "shards");
        File.Move(Path.Combine(folder, Weights), Path.Combine(folder, "one.safetensors"), overwrite: true);
        return input =>
        {
            scratch.Write($"shards/{ShardedCheckpoint.IndexFileName}", input);
            CausalLm.Load(folder).Dispose();
        };
    }

    static Action<byte[]> OpenWeights(Scratch scratch)
    {
        var folder = SampleModel.WriteTo(scratch, "weights");
        var turn = 0;
        return input =>
        {
            scratch.Write($"weights/{Weights}", input);
            using var model = (turn++ % 3) switch
            {
                0 => CausalLm.Load(folder),
                1 => CausalLm.LoadQuantized(folder, QuantizedDtype.Int8),
                _ => ModelLoader.Load(folder, WeightDtype.Bf16, torch.CPU),
            };
        };
    }

    static Action<byte[]> FeedAdapter(Scratch scratch, string name, string file)
    {
        var folder = SampleModel.WriteAdapter(scratch, name);
        return input =>
        {
            scratch.Write($"{name}/{file}", input);
            AdapterFile.Read(folder, SampleModel.Config).Dispose();
        };
    }

    /// <summary>A checkpoint whose hash is right, so that its state is read.</summary>
    static Action<byte[]> OpenCheckpoint(Scratch scratch)
    {
        var arrays = new byte[12];
        scratch.Write("state/state-1/arrays.bin", arrays);
        var store = new FolderCheckpointStore(scratch.At("state"));
        return input =>
        {
            scratch.Write("state/state-1/state.json", input);
            var hash = SHA256.HashData(Bytes.Join(input, arrays));
            scratch.Write("state/state-1/complete", Convert.ToHexString(hash));
            store.Load();
        };
    }
}
