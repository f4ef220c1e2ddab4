using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>A model folder in Hugging Face's layout.</summary>
public static class ModelFolder
{
    /// <summary>
    /// Writes <c>model.safetensors</c> with the weights as <paramref name="dtype"/>, then <c>config.json</c> and
    /// <c>generation_config.json</c>; each aside first and then renamed, so that a folder with
    /// a configuration has whole weights. Tokenizer files are the caller's.
    /// </summary>
    public static void Save(string folder, DecoderConfig config, ModelWeights weights, ScalarType dtype)
    {
        var tensors = weights.Names.ToDictionary(name => name, name => weights[name], StringComparer.Ordinal);
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), tensors, dtype);
        AtomicFile.WriteText(
            Path.Combine(folder, "generation_config.json"),
            DecoderConfigWriter.ToGenerationJson(config)
        );
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), DecoderConfigWriter.ToJson(config, dtype));
    }
}

/// <summary>
/// A file of a model or adapter that cannot be used: says which file, which tensor or key, what was found and what was
/// expected.
/// </summary>
public sealed class ModelFileException : IOException
{
    /// <summary>For a whole file.</summary>
    public ModelFileException(string file, string problem, Exception? inner = null)
        : base($"{file}: {problem}", inner) => File = file;

    /// <summary>For one tensor or key of a file.</summary>
    public ModelFileException(string file, string part, string problem, Exception? inner = null)
        : base($"{file}: {part}: {problem}", inner)
    {
        File = file;
        Part = part;
    }

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>The tensor or key, or null where the whole file is meant.</summary>
    public string? Part { get; }
}
