using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>A model folder in Hugging Face's layout.</summary>
public static class ModelFolder
{
    /// <summary>
    /// Writes <c>model.safetensors</c> with the weights as <paramref name="dtype"/>, then <c>config.json</c> and <c>generation_config.json</c>; each aside first and then renamed, so that a folder with
    /// a configuration has whole weights. Tokenizer files are the caller's.
    /// </summary>
    public static void Save(string folder, DecoderConfig config, ModelWeights weights, ScalarType dtype)
    {
        var tensors = weights.Names.ToDictionary(name => name, name => weights[name], StringComparer.Ordinal);
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), tensors, dtype);
        AtomicFile.WriteText(Path.Combine(folder, "generation_config.json"), DecoderConfigWriter.Generation(config));
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), DecoderConfigWriter.Json(config, dtype));
    }
}
