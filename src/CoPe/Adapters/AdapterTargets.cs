using System.Text.Json;
using System.Text.RegularExpressions;
using CoPe.Modeling;

namespace CoPe.Adapters;

/// <summary>
/// The layers that adapter_config.json says are adapted. Hugging Face's tools drop factors of layers that it does not name and leave named layers without factors as they are;
/// here both mean that the two files, or adapter and model, do not belong together.
/// </summary>
sealed class AdapterTargets
{
    /// <summary>What the decoder's layers are called inside a model with a vision tower.</summary>
    static readonly string[] OtherPrefixes = ["model.language_model.", "language_model.model."];

    readonly ConfigJson json;
    readonly Func<string, bool>? names;

    public AdapterTargets(ConfigJson json)
    {
        this.json = json;
        names = json.Get("target_modules") switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } text => text.GetString() == LoraTargets.AllLinear ? _ => true : Pattern(text.GetString()!),
            _ => layer => json.Texts("target_modules")!.Any(target => target == LoraTargets.AllLinear || LoraTargets.IsTarget(layer, target)),
        };
    }

    /// <summary>Throws where the layers with factors are not the layers named.</summary>
    public void Check(string weightsFile, IEnumerable<LinearLayer> layers, IReadOnlyCollection<string> adapted)
    {
        if (names is null) return;
        foreach (var layer in layers)
        {
            var isNamed = names(layer.Name);
            if (isNamed && !adapted.Contains(layer.Name))
                throw new ModelFileException(weightsFile, layer.Name, "has no lora_A and lora_B tensors, though target_modules names this layer: the adapter is incomplete or belongs to another model.");
            if (!isNamed && adapted.Contains(layer.Name))
                throw new ModelFileException(weightsFile, layer.Name, $"has lora tensors, but target_modules in {json.File} does not name this layer.");
        }
    }

    Func<string, bool> Pattern(string text)
    {
        try
        {
            var pattern = new Regex($"^(?:{text})\\z", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
            return layer => Matches(pattern, layer) || OtherPrefixes.Any(prefix => Matches(pattern, prefix + layer["model.".Length..]));
        }
        catch (ArgumentException e)
        {
            throw new ModelFileException(json.File, "target_modules", $"is no regular expression: {e.Message}", e);
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
            throw new ModelFileException(json.File, "target_modules", $"takes too long to match against {layer}; name the modules in a list.", e);
        }
    }
}
