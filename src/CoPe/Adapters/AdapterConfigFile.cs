using System.Text;
using System.Text.Json;
using CoPe.Modeling;

namespace CoPe.Adapters;

/// <summary>PEFT's adapter_config.json.</summary>
static class AdapterConfigFile
{
    /// <summary>PEFT's key for the tokens that an adapter acts from; absent where it acts everywhere.</summary>
    public const string InvocationTokensKey = "alora_invocation_tokens";

    /// <summary>PEFT's key for embedding and head that the adapter has in place of the model's.</summary>
    public const string ModulesToSaveKey = "modules_to_save";

    /// <summary>PEFT's key for adapters that keep embedding and head of the model one.</summary>
    public const string WeightTyingKey = "ensure_weight_tying";

    const string AlphaPatternKey = "alpha_pattern";
    const string RankPatternKey = "rank_pattern";

    /// <summary>
    /// Keys that change what the adapter computes in ways that are not supported: each must be absent, null, false or
    /// empty.
    /// </summary>
    static readonly string[] MustBeUnset =
    [
        "use_dora",
        "use_qalora",
        "fan_in_fan_out",
        "lora_bias",
        "megatron_config",
        "layer_replication",
        "trainable_token_indices",
        "target_parameters",
        "corda_config",
        "eva_config",
        "arrow_config",
    ];

    /// <summary>Keys of PEFT that are read, or that change nothing of what a trained adapter computes.</summary>
    static readonly string[] KnownKeys =
    [
        InvocationTokensKey,
        AlphaPatternKey,
        "auto_mapping",
        "base_model_name_or_path",
        "bias",
        WeightTyingKey,
        "exclude_modules",
        "inference_mode",
        "init_lora_weights",
        "layers_pattern",
        "layers_to_transform",
        "loftq_config",
        "lora_alpha",
        "lora_dropout",
        "megatron_core",
        ModulesToSaveKey,
        "peft_type",
        "peft_version",
        "qalora_group_size",
        "r",
        RankPatternKey,
        "revision",
        "runtime_config",
        "target_modules",
        "task_type",
        "use_rslora",
    ];

    /// <summary>
    /// Initializations that leave the base weights as they are. Others (PiSSA, OLoRA, LoftQ, CorDA, LoRA-GA) begin with
    /// weights other than the model's, which the adapter's files do not hold; one that is not known may do so too.
    /// </summary>
    static readonly string[] KnownInitializations = ["gaussian", "orthogonal", "eva"];

    /// <summary>The shape that a configuration describes; target modules are <see cref="AdapterTargets"/>'.</summary>
    /// <exception cref="ModelFileException">A value is missing, wrong or not supported.</exception>
    public static LoraConfig Read(ConfigJson json)
    {
        RefuseUnsupported(json);
        var invocationTokens = json.GetInt32s(InvocationTokensKey) is { Count: > 0 } tokens ? tokens : null;
        var config = new LoraConfig
        {
            Rank = json.GetInt32("r") ?? throw new ModelFileException(json.File, "r", "is missing."),
            Alpha =
                json.GetDouble("lora_alpha") ?? throw new ModelFileException(json.File, "lora_alpha", "is missing."),
            Dropout = json.GetDouble("lora_dropout") ?? 0,
            UseRsLora = json.GetBoolean("use_rslora") ?? false,
            Active = invocationTokens is null ? ActivePositions.Everywhere : ActivePositions.Answer,
            InvocationTokens = invocationTokens,
            Ranks = LayerPatterns.Read(json, RankPatternKey, isWhole: true),
            Alphas = LayerPatterns.Read(json, AlphaPatternKey, isWhole: false),
            ModulesToSave = ReadModulesToSave(json),
            EnsureWeightTying = json.GetBoolean(WeightTyingKey) ?? false,
        };
        try
        {
            config.Validate();
        }
        catch (ArgumentException e)
        {
            throw new ModelFileException(json.File, e.Message, e);
        }

        return config;
    }

    static List<string>? ReadModulesToSave(ConfigJson json)
    {
        if (json.GetStrings(ModulesToSaveKey) is not { Count: > 0 } names)
        {
            return null;
        }

        if (names.FirstOrDefault(name => SavedModuleNames.FindLayer(name) is null) is { } unknown)
        {
            throw json.Unsupported(ModulesToSaveKey, unknown, string.Join(", ", SavedModuleNames.All));
        }

        return [.. names.Select(name => SavedModuleNames.GetShortName(SavedModuleNames.FindLayer(name)!)).Distinct()];
    }

    static void RefuseUnsupported(ConfigJson json)
    {
        var type = json.GetString("peft_type");
        if (type != "LORA")
        {
            throw json.Unsupported("peft_type", type, "LORA");
        }

        foreach (var key in MustBeUnset)
        {
            if (json.Get(key) is { } value && !IsUnset(value))
            {
                throw json.Unsupported(key, value.GetRawText(), "absent, null, false or empty");
            }
        }

        var unknownKeys = json.Properties.Where(key => !KnownKeys.Contains(key.Name) && !IsUnset(key.Value)).ToList();
        if (unknownKeys is [var unknown, ..])
        {
            throw json.Unsupported(
                unknown.Name,
                unknown.Value.GetRawText(),
                "a key of LoRA that is known here, or null, false or empty"
            );
        }

        if (json.Get("init_lora_weights") is { } initialization && !IsKnownInitialization(initialization))
        {
            var supported = $"true, false, {string.Join(", ", KnownInitializations)}";
            throw json.Unsupported("init_lora_weights", initialization.GetRawText(), supported);
        }

        var bias = json.GetString("bias") ?? "none";
        if (bias != "none")
        {
            throw json.Unsupported("bias", bias, "none");
        }

        var task = json.GetString("task_type") ?? "CAUSAL_LM";
        if (task != "CAUSAL_LM")
        {
            throw json.Unsupported("task_type", task, "CAUSAL_LM");
        }
    }

    static bool IsKnownInitialization(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.True or JsonValueKind.False => true,
            JsonValueKind.String => KnownInitializations.Contains(value.GetString(), StringComparer.OrdinalIgnoreCase),
            _ => false,
        };

    static bool IsUnset(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.False or JsonValueKind.Null => true,
            JsonValueKind.Array => value.GetArrayLength() == 0,
            JsonValueKind.Object => !value.EnumerateObject().Any(),
            _ => false,
        };

    /// <summary>Writes the configuration with the keys in PEFT's order.</summary>
    public static void Write(string file, LoraConfig config, string baseModelName)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            if (config.InvocationTokens is { } tokens)
            {
                WriteInvocationTokens(json, tokens);
            }

            config.Alphas.Write(json, AlphaPatternKey);
            json.WriteString("base_model_name_or_path", baseModelName);
            json.WriteString("bias", "none");
            if (config.EnsureWeightTying)
            {
                json.WriteBoolean(WeightTyingKey, true); // which older versions of PEFT do not know
            }

            json.WriteBoolean("fan_in_fan_out", false);
            json.WriteBoolean("inference_mode", true);
            json.WriteBoolean("init_lora_weights", true);
            json.WriteNumber("lora_alpha", config.Alpha);
            json.WriteNumber("lora_dropout", config.Dropout);
            WriteModulesToSave(json, config.ModulesToSave);
            json.WriteString("peft_type", "LORA");
            json.WriteNumber("r", config.Rank);
            config.Ranks.Write(json, RankPatternKey);
            WriteStrings(json, "target_modules", config.TargetModules);
            json.WriteString("task_type", "CAUSAL_LM");
            json.WriteBoolean("use_dora", false);
            json.WriteBoolean("use_rslora", config.UseRsLora);
            json.WriteEndObject();
        }

        AtomicFile.WriteText(file, Encoding.UTF8.GetString(buffer.ToArray()) + "\n");
    }

    static void WriteModulesToSave(Utf8JsonWriter json, IReadOnlyList<string>? names)
    {
        if (names is null)
        {
            json.WriteNull(ModulesToSaveKey);
            return;
        }

        WriteStrings(json, ModulesToSaveKey, names);
    }

    static void WriteStrings(Utf8JsonWriter json, string key, IEnumerable<string> values)
    {
        json.WriteStartArray(key);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    static void WriteInvocationTokens(Utf8JsonWriter json, IReadOnlyList<int> tokens)
    {
        json.WriteStartArray(InvocationTokensKey);
        foreach (var token in tokens)
        {
            json.WriteNumberValue(token);
        }

        json.WriteEndArray();
    }
}
