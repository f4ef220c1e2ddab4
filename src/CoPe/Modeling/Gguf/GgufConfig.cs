using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using CoPe.Gguf;
using CoPe.Json;

namespace CoPe.Modeling.Gguf;

/// <summary>
/// What a GGUF file's metadata say of its decoder, as the config.json that Hugging Face's tools would have for it.
/// </summary>
static class GgufConfig
{
    /// <summary>Keys behind the architecture's name that are read, or change nothing that is computed here.</summary>
    static readonly HashSet<string> KnownKeys =
    [
        "block_count",
        "context_length",
        "embedding_length",
        "feed_forward_length",
        "attention.head_count",
        "attention.head_count_kv",
        "attention.layer_norm_rms_epsilon",
        "attention.key_length",
        "attention.value_length",
        "attention.sliding_window",
        "attention.sliding_window_pattern",
        "final_logit_softcapping",
        "rope.dimension_count",
        "rope.freq_base",
        "rope.freq_base_swa",
        "rope.scaling.type",
        "rope.scaling.factor",
        "rope.scaling.original_context_length",
        "rope.scaling.attn_factor",
        "rope.scaling.yarn_beta_fast",
        "rope.scaling.yarn_beta_slow",
        "rope.scaling.finetuned",
        "vocab_size",
        "expert_count",
        "expert_used_count",
        "tensor_data_layout",
    ];

    /// <summary>The architecture of a file's model.</summary>
    /// <exception cref="GgufException">It is none that is read.</exception>
    public static GgufArchitecture FindArchitecture(GgufFile file)
    {
        if (file.GetString("general.type") is { } type and not "model")
        {
            throw new GgufException("general.type", $"is {type}; a model was expected");
        }

        var name = file.GetString(GgufFile.ArchitectureKey);
        return GgufArchitecture.All.FirstOrDefault(known => known.Name == name)
            ?? throw new GgufException(
                GgufFile.ArchitectureKey,
                $"is {name ?? "missing"}, which is not read; supported: {GgufArchitecture.Names}"
            );
    }

    /// <summary>The configuration of a file's model.</summary>
    /// <exception cref="ModelFileException">The file is damaged, or its model is none that is read.</exception>
    public static ConfigJson Read(string path)
    {
        try
        {
            return Read(OpenFile(path));
        }
        catch (GgufException error)
        {
            throw new ModelFileException(path, error.Part, error.Problem, error);
        }
    }

    /// <summary>Opens a file, with errors that name it.</summary>
    /// <exception cref="ModelFileException">The file is missing or damaged.</exception>
    public static GgufFile OpenFile(string path)
    {
        try
        {
            return File.Exists(path) ? GgufFile.Open(path) : throw new ModelFileException(path, "is missing.");
        }
        catch (GgufException error)
        {
            throw new ModelFileException(path, error.Part, error.Problem, error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new ModelFileException(path, "may not be read by this user.", error);
        }
    }

    /// <exception cref="GgufException">The model is none that is read.</exception>
    public static ConfigJson Read(GgufFile file)
    {
        var architecture = FindArchitecture(file);
        var keys = new ArchitectureKeys(file, architecture.Name);
        keys.RefuseUnknown(KnownKeys);
        var json = CreateSizes(file, architecture, keys);
        if (architecture.ModelTypes[0] == "gemma3_text")
        {
            AddGemma(json, keys);
        }

        json["rope_scaling"] = CreateRopeScaling(file, keys, (int)json["head_dim"]!);
        AddTokens(json, file);
        json["torch_dtype"] = GgufWeights.IsFloat32(file) ? "float32" : "bfloat16";
        return new ConfigJson(file.Path, StrictJson.Parse(Encoding.UTF8.GetBytes(json.ToJsonString())));
    }

    static JsonObject CreateSizes(GgufFile file, GgufArchitecture architecture, ArchitectureKeys keys)
    {
        var tensors = file.Tensors.Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        var (hidden, heads) = (keys.Require("embedding_length"), keys.Require("attention.head_count"));
        var headDim = keys.Find("attention.key_length") ?? hidden / Math.Max(1, heads);
        keys.Expect("attention.value_length", headDim);
        keys.Expect("rope.dimension_count", headDim);
        keys.Expect("expert_count", 0);
        return new JsonObject
        {
            ["architectures"] = new JsonArray(architecture.Family.Architecture),
            ["model_type"] = architecture.ModelTypes[0],
            ["vocab_size"] = CountTokens(file),
            ["hidden_size"] = hidden,
            ["intermediate_size"] = keys.Require("feed_forward_length"),
            ["num_hidden_layers"] = keys.Require("block_count"),
            ["num_attention_heads"] = heads,
            ["num_key_value_heads"] = keys.Find("attention.head_count_kv") ?? heads,
            ["head_dim"] = headDim,
            ["max_position_embeddings"] = keys.Require("context_length"),
            ["rms_norm_eps"] = keys.RequireNumber("attention.layer_norm_rms_epsilon"),
            ["rope_theta"] = keys.FindNumber("rope.freq_base") ?? 10000,
            ["attention_bias"] =
                architecture.Family.Bias == ProjectionBias.AllIfConfigured && tensors.Contains("blk.0.attn_q.bias"),
            ["mlp_bias"] = architecture.Family.HasFeedForwardBias && tensors.Contains("blk.0.ffn_up.bias"),
            ["tie_word_embeddings"] = !tensors.Contains("output.weight"),
        };
    }

    static long CountTokens(GgufFile file) =>
        file.Tensors.FirstOrDefault(tensor => tensor.Name == "token_embd.weight") is { Shape: [var rows, _] }
            ? rows
            : throw new GgufException("token_embd.weight", "is missing, or no matrix");

    /// <summary>What llama.cpp knows of Gemma 3 beyond the file.</summary>
    static void AddGemma(JsonObject json, ArchitectureKeys keys)
    {
        const int LayersOf27B = 62;
        var isLargest = (int)json["num_hidden_layers"]! == LayersOf27B;
        var (hidden, heads) = ((int)json["hidden_size"]!, (int)json["num_attention_heads"]!);
        json["query_pre_attn_scalar"] = isLargest ? hidden / Math.Max(1, heads) : (int)json["head_dim"]!;
        json["sliding_window"] = keys.Require("attention.sliding_window");
        json["sliding_window_pattern"] = keys.Find("attention.sliding_window_pattern") ?? 6;
        json["rope_local_base_freq"] = keys.FindNumber("rope.freq_base_swa") ?? 10000;
        json["final_logit_softcapping"] = keys.FindNumber("final_logit_softcapping");
    }

    static JsonObject? CreateRopeScaling(GgufFile file, ArchitectureKeys keys, int headDim)
    {
        if (file.Tensors.FirstOrDefault(t => t.Name == GgufArchitecture.RotaryFactors) is { } tensor)
        {
            return RotaryFactors.CreateScaling(RotaryFactors.Read(file, tensor, headDim), keys);
        }

        var factor = keys.FindNumber("rope.scaling.factor") ?? 0;
        var type = keys.FindText("rope.scaling.type") ?? (factor == 0 ? "none" : "linear");
        return type switch
        {
            "none" => null,
            "linear" => factor == 0 ? null : new JsonObject { ["rope_type"] = "linear", ["factor"] = factor },
            "yarn" => new JsonObject
            {
                ["rope_type"] = "yarn",
                ["factor"] = factor,
                ["original_max_position_embeddings"] =
                    keys.Find("rope.scaling.original_context_length") ?? keys.Require("context_length"),
                ["attention_factor"] =
                    (keys.FindNumber("rope.scaling.attn_factor") ?? 1) * (0.1 * Math.Log(Math.Max(1, factor)) + 1),
                ["beta_fast"] = keys.FindNumber("rope.scaling.yarn_beta_fast") ?? 32,
                ["beta_slow"] = keys.FindNumber("rope.scaling.yarn_beta_slow") ?? 1,
            },
            _ => throw keys.Unexpected("rope.scaling.type", type, "none, linear or yarn"),
        };
    }

    static void AddTokens(JsonObject json, GgufFile file)
    {
        const string Prefix = "tokenizer.ggml.";
        json["bos_token_id"] = file.GetInteger(Prefix + "bos_token_id");
        json["pad_token_id"] = file.GetInteger(Prefix + "padding_token_id");
        var stops = ((string[])["eos_token_id", "eot_token_id", "eom_token_id"])
            .Select(key => file.GetInteger(Prefix + key))
            .OfType<long>()
            .Distinct();
        json["eos_token_id"] = new JsonArray([.. stops.Select(id => JsonValue.Create(id))]);
    }
}

/// <summary>The keys of a file that begin with its architecture's name.</summary>
readonly record struct ArchitectureKeys(GgufFile File, string Architecture)
{
    public void RefuseUnknown(HashSet<string> known)
    {
        var prefix = Architecture + ".";
        var unknown = File.Keys.FirstOrDefault(key =>
            key.StartsWith(prefix, StringComparison.Ordinal) && !known.Contains(key[prefix.Length..])
        );
        if (unknown is not null)
        {
            throw new GgufException(unknown, "is not known, and may change what the model computes; it is not read");
        }
    }

    /// <summary>A whole number that a configuration can hold; of an array, one for each layer, the only one.</summary>
    public int? Find(string key)
    {
        var name = $"{Architecture}.{key}";
        if (File.IsArray(name))
        {
            var numbers = File.GetNumbers(name)!.Distinct().ToArray();
            return numbers is [>= 0 and <= int.MaxValue and var only]
                ? (int)only
                : throw new GgufException(name, "differs from layer to layer, which is not computed here");
        }

        var value = File.GetInteger(name);
        return value is null or (>= 0 and <= int.MaxValue)
            ? (int?)value
            : throw Unexpected(key, $"{value}", $"0 to {int.MaxValue}");
    }

    public int Require(string key) =>
        Find(key) ?? throw new GgufException($"{Architecture}.{key}", "is missing; a whole number was expected");

    public double? FindNumber(string key) => File.GetNumber($"{Architecture}.{key}");

    public double RequireNumber(string key) =>
        FindNumber(key) ?? throw new GgufException($"{Architecture}.{key}", "is missing; a number was expected");

    public string? FindText(string key) => File.GetString($"{Architecture}.{key}");

    /// <summary>Refuses a number that is there and another one.</summary>
    public void Expect(string key, int expected)
    {
        if (Find(key) is { } found && found != expected)
        {
            throw Unexpected(key, $"{found}", $"{expected}");
        }
    }

    public GgufException Unexpected(string key, string found, string expected) =>
        new($"{Architecture}.{key}", $"is {found}, which is not computed here; supported: {expected}");
}

/// <summary>
/// Divisors of the rotary frequencies, one for each plane, by which llama.cpp writes Llama 3.1's scaling.
/// </summary>
static class RotaryFactors
{
    /// <summary>Of Llama 3.1 and 3.2; their factors are 8 and 32.</summary>
    const int OriginalContext = 8192;

    public static float[] Read(GgufFile file, GgufTensor tensor, int headDim)
    {
        if (tensor.Type != GgufType.F32 || tensor.Shape is not [var count] || count != headDim / 2)
        {
            throw new GgufException(
                tensor.Name,
                $"is {tensor.Type.Name} [{string.Join(", ", tensor.Shape)}]; expected F32 [{headDim / 2}]"
            );
        }

        using var handle = File.OpenHandle(file.Path);
        var bytes = new byte[tensor.Bytes];
        RandomAccess.Read(handle, bytes, tensor.Offset);
        var factors = new float[count];
        for (var i = 0; i < factors.Length; i++)
        {
            factors[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * sizeof(float)));
            if (!(float.IsFinite(factors[i]) && factors[i] > 0))
            {
                throw new GgufException(tensor.Name, $"holds {factors[i]}; numbers greater than 0 were expected");
            }
        }

        return factors;
    }

    /// <summary>Llama 3.1's scaling where the divisors are its own, else the divisors themselves.</summary>
    public static JsonObject? CreateScaling(float[] factors, ArchitectureKeys keys)
    {
        if (Array.TrueForAll(factors, factor => factor == 1))
        {
            return null;
        }

        var theta = keys.FindNumber("rope.freq_base") ?? 10000;
        var llama3 = new RopeConfig
        {
            Theta = theta,
            Scaling = RopeScaling.Llama3,
            Factor = factors.Max(),
            OriginalMaxPositions = OriginalContext,
        };
        if (Compute(llama3, 2 * factors.Length).Zip(factors).All(pair => IsClose(pair.First, pair.Second)))
        {
            return new JsonObject
            {
                ["rope_type"] = "llama3",
                ["factor"] = llama3.Factor,
                ["low_freq_factor"] = llama3.LowFrequencyFactor,
                ["high_freq_factor"] = llama3.HighFrequencyFactor,
                ["original_max_position_embeddings"] = OriginalContext,
            };
        }

        return new JsonObject
        {
            ["rope_type"] = "longrope",
            ["factor"] = 1,
            ["attention_factor"] = 1,
            ["original_max_position_embeddings"] = keys.Require("context_length"),
            ["short_factor"] = new JsonArray([.. factors.Select(factor => JsonValue.Create(factor))]),
            ["long_factor"] = new JsonArray([.. factors.Select(factor => JsonValue.Create(factor))]),
        };
    }

    /// <summary>By what a scaling divides each plane's frequency.</summary>
    public static IEnumerable<float> Compute(RopeConfig rope, int headDim)
    {
        var plain = new RopeConfig { Theta = rope.Theta }.ComputeFrequencies(headDim);
        return plain.Zip(rope.ComputeFrequencies(headDim), (before, after) => before / after);
    }

    static bool IsClose(float a, float b) => Math.Abs(a - b) <= 1e-4 * Math.Abs(b);
}
