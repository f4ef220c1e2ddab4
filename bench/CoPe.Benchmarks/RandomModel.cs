using System.Text;
using System.Text.Json.Nodes;
using CoPe.Modeling;

namespace CoPe.Benchmarks;

/// <summary>
/// Model folders of known shapes with random bf16 weights: speed does not depend on what they know. Deletes its folder.
/// </summary>
sealed class RandomModel : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("cope-bench").FullName;

    /// <summary>Writes the folder of a shape.</summary>
    public RandomModel(DecoderConfig config)
    {
        File.WriteAllText(
            Path.Combine(_folder, "config.json"),
            DecoderConfigWriter.ToJson(config, TorchSharp.torch.ScalarType.BFloat16)
        );
        var header = new JsonObject();
        long end = 0;
        foreach (var (name, shape) in WeightLayout.ListWeights(config))
        {
            var start = end;
            end += 2 * shape.Aggregate(1L, (product, size) => product * size);
            header[name] = new JsonObject
            {
                ["dtype"] = "BF16",
                ["shape"] = new JsonArray([.. shape.Select(size => (JsonNode)size)]),
                ["data_offsets"] = new JsonArray(start, end),
            };
        }
        Bytes = end;
        using var file = File.Create(Path.Combine(_folder, "model.safetensors"));
        var json = header.ToJsonString();
        // As the format's own writer aligns the numbers: unaligned ones would be copied.
        var text = Encoding.UTF8.GetBytes(json.PadRight((json.Length + 7) / 8 * 8));
        file.Write(BitConverter.GetBytes((ulong)text.Length));
        file.Write(text);
        var block = CreateRandomBlock();
        for (long written = 0; written < end; written += block.Length)
        {
            file.Write(block.AsSpan(0, (int)Math.Min(block.Length, end - written)));
        }
    }

    /// <summary>Where it lies.</summary>
    public string Folder => _folder;

    /// <summary>Bytes of weights.</summary>
    public long Bytes { get; }

    /// <summary>The model over the mapped file; the caller's.</summary>
    public CausalLm Load() => CausalLm.Load(_folder);

    /// <summary>The model with its weights rounded; the caller's.</summary>
    public CausalLm Load(QuantizedDtype dtype) => CausalLm.LoadQuantized(_folder, dtype);

    /// <summary>The same, with the rounded weights kept for the next opening.</summary>
    public CausalLm Load(QuantizedDtype dtype, RoundedWeightsCache cache) =>
        CausalLm.LoadQuantized(_folder, dtype, cache, warn: null);

    /// <summary>What <c>cope model info</c> knows of it.</summary>
    public ModelInfo ReadInfo() => ModelInfo.Read(_folder);

    /// <summary>The shape of a known model.</summary>
    /// <param name="name">qwen2.5-0.5b, qwen2.5-1.5b, mistral-7b or embedded.</param>
    /// <param name="layers">Fewer or more layers than it has; null for as many.</param>
    public static DecoderConfig CreateConfig(string name, int? layers = null) =>
        name switch
        {
            "qwen2.5-0.5b" => new()
            {
                ModelType = "qwen2",
                VocabSize = 151936,
                HiddenSize = 896,
                IntermediateSize = 4864,
                LayerCount = layers ?? 24,
                HeadCount = 14,
                KeyValueHeadCount = 2,
                HeadDim = 64,
                QueryKeyValueBias = true,
                TiedHead = true,
            },
            "qwen2.5-1.5b" => new()
            {
                ModelType = "qwen2",
                VocabSize = 151936,
                HiddenSize = 1536,
                IntermediateSize = 8960,
                LayerCount = layers ?? 28,
                HeadCount = 12,
                KeyValueHeadCount = 2,
                HeadDim = 128,
                QueryKeyValueBias = true,
                TiedHead = true,
            },
            "mistral-7b" => new()
            {
                ModelType = "mistral",
                VocabSize = 32768,
                HiddenSize = 4096,
                IntermediateSize = 14336,
                LayerCount = layers ?? 32,
                HeadCount = 32,
                KeyValueHeadCount = 8,
                HeadDim = 128,
            },
            "embedded" => new()
            {
                VocabSize = 2048,
                HiddenSize = 256,
                IntermediateSize = 640,
                LayerCount = layers ?? 4,
                HeadCount = 4,
                KeyValueHeadCount = 2,
                HeadDim = 64,
                TiedHead = true,
            },
            _ => throw new ArgumentException(
                $"The shape '{name}' is not known; there are qwen2.5-0.5b, qwen2.5-1.5b, mistral-7b and embedded.",
                nameof(name)
            ),
        };

    /// <summary>bf16 numbers of random sign and fraction between 1/64 and 1/32.</summary>
    static byte[] CreateRandomBlock()
    {
        var random = new Random(1);
        var block = new byte[1 << 20]; // small, since it stays in the process's memory
        random.NextBytes(block);
        for (var i = 1; i < block.Length; i += 2)
        {
            block[i] = (byte)((block[i] & 0x80) | 0x3C);
            block[i - 1] |= 0x80;
        }
        return block;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
