using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CoPe.Modeling;

namespace CoPe.Adapters;

/// <summary>PEFT's adapter_config.json.</summary>
static class AdapterConfigFile
{
    /// <summary>
    /// Keys that change what the adapter computes in ways that are not supported: each must be absent, null, false or
    /// empty.
    /// </summary>
    static readonly string[] MustBeUnset =
    [
        "alpha_pattern",
        "rank_pattern",
        "layers_to_transform",
        "layers_pattern",
        "modules_to_save",
        "use_dora",
        "use_qalora",
        "fan_in_fan_out",
        "lora_bias",
        "megatron_config",
        "layer_replication",
        "trainable_token_indices",
        "target_parameters",
        "exclude_modules",
        "corda_config",
        "eva_config",
        "alora_invocation_tokens",
        "arrow_config",
    ];

    static readonly string[] InitializationsThatChangeBase = ["pissa", "olora", "corda", "loftq"];

    public static LoraConfig Read(ConfigJson json)
    {
        var file = json.File;
        if (json.GetString("peft_type") is var type and not "LORA")
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
        // These begin with other base weights than the model's, which the adapter's files do not hold.
        if (
            json.Get("init_lora_weights") is { ValueKind: JsonValueKind.String } start
            && InitializationsThatChangeBase.Any(name => start.GetString()!.StartsWith(name, StringComparison.Ordinal))
        )
        {
            throw json.Unsupported("init_lora_weights", start.GetString(), "true, false, gaussian, orthogonal");
        }

        if (json.GetString("bias") is { } bias and not "none")
        {
            throw json.Unsupported("bias", bias, "none");
        }

        if (json.GetString("task_type") is { } task and not "CAUSAL_LM")
        {
            throw json.Unsupported("task_type", task, "CAUSAL_LM");
        }

        var config = new LoraConfig
        {
            Rank = json.GetInt32("r") ?? throw new ModelFileException(file, "r", "is missing."),
            Alpha = json.GetDouble("lora_alpha") ?? throw new ModelFileException(file, "lora_alpha", "is missing."),
            Dropout = json.GetDouble("lora_dropout") ?? 0,
            UseRsLora = json.GetBoolean("use_rslora") ?? false,
        };
        try
        {
            config.Validate();
        }
        catch (ArgumentException e)
        {
            throw new ModelFileException(file, e.Message, e);
        }
        return config;
    }

    static bool IsUnset(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.False => true,
            JsonValueKind.Array => value.GetArrayLength() == 0,
            JsonValueKind.Object => !value.EnumerateObject().Any(),
            _ => false,
        };

    public static void Write(string file, LoraConfig config, string baseModelName)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("base_model_name_or_path", baseModelName);
            json.WriteString("bias", "none");
            json.WriteBoolean("fan_in_fan_out", false);
            json.WriteBoolean("inference_mode", true);
            json.WriteBoolean("init_lora_weights", true);
            json.WriteNumber("lora_alpha", config.Alpha);
            json.WriteNumber("lora_dropout", config.Dropout);
            json.WriteNull("modules_to_save");
            json.WriteString("peft_type", "LORA");
            json.WriteNumber("r", config.Rank);
            json.WriteStartArray("target_modules");
            foreach (var target in config.TargetModules)
            {
                json.WriteStringValue(target);
            }

            json.WriteEndArray();
            json.WriteString("task_type", "CAUSAL_LM");
            json.WriteBoolean("use_dora", false);
            json.WriteBoolean("use_rslora", config.UseRsLora);
            json.WriteEndObject();
        }
        AtomicFile.WriteText(file, Encoding.UTF8.GetString(buffer.ToArray()) + "\n");
    }
}

/// <summary>
/// The layers that adapter_config.json says are adapted. Hugging Face's tools drop factors of layers that it does not
/// name and leave named layers without factors as they are;
/// here both mean that the two files, or adapter and model, do not belong together.
/// </summary>
sealed class AdapterTargets
{
    /// <summary>What the decoder's layers are called inside a model with a vision tower.</summary>
    static readonly string[] VisionModelPrefixes = ["model.language_model.", "language_model.model."];

    readonly ConfigJson _json;
    readonly Func<string, bool>? _names;

    public AdapterTargets(ConfigJson json)
    {
        _json = json;
        _names = json.Get("target_modules") switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } text => text.GetString() == LoraTargets.AllLinear
                ? _ => true
                : CompilePattern(text.GetString()!),
            _ => layer =>
                json.GetStrings("target_modules")!
                    .Any(target => target == LoraTargets.AllLinear || LoraTargets.IsTarget(layer, target)),
        };
    }

    /// <summary>Throws where the layers with factors are not the layers named.</summary>
    public void Check(string weightsFile, IEnumerable<LinearLayer> layers, IReadOnlyCollection<string> adapted)
    {
        if (_names is null)
        {
            return;
        }

        foreach (var layer in layers)
        {
            var isNamed = _names(layer.Name);
            if (isNamed && !adapted.Contains(layer.Name))
            {
                throw new ModelFileException(
                    weightsFile,
                    layer.Name,
                    "has no lora_A and lora_B tensors, though target_modules names this layer: the adapter is incomplete or belongs to another model."
                );
            }

            if (!isNamed && adapted.Contains(layer.Name))
            {
                throw new ModelFileException(
                    weightsFile,
                    layer.Name,
                    $"has lora tensors, but target_modules in {_json.File} does not name this layer."
                );
            }
        }
    }

    Func<string, bool> CompilePattern(string text)
    {
        try
        {
            var pattern = new Regex($"^(?:{text})\\z", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
            return layer =>
                Matches(pattern, layer)
                || VisionModelPrefixes.Any(prefix => Matches(pattern, prefix + layer["model.".Length..]));
        }
        catch (ArgumentException e)
        {
            throw new ModelFileException(_json.File, "target_modules", $"is no regular expression: {e.Message}", e);
        }
    }

    bool Matches(Regex pattern, string layer)
    {
        try
        {
            return pattern.IsMatch(layer);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new ModelFileException(
                _json.File,
                "target_modules",
                $"takes too long to match against {layer}; name the modules in a list.",
                e
            );
        }
    }
}
