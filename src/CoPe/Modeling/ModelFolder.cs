using CoPe.Modeling.Safetensors;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>A model folder in Hugging Face's layout.</summary>
static class ModelFolder
{
    /// <summary>
    /// Writes <c>model.safetensors</c> with the weights as <paramref name="dtype"/>, then
    /// <c>generation_config.json</c> and <c>config.json</c>; each is written aside first and then renamed, so that a
    /// folder with a configuration has complete weights. Tokenizer files are the caller's.
    /// </summary>
    public static void Save(string folder, DecoderConfig config, ModelWeights weights, ScalarType dtype)
    {
        var tensors = weights.Names.ToDictionary(name => name, name => weights[name], StringComparer.Ordinal);
        SafetensorsWriter.Write(Path.Combine(folder, ShardedCheckpoint.SingleFileName), tensors, dtype);
        var generation = DecoderConfigWriter.ToGenerationJson(config);
        AtomicFile.WriteText(Path.Combine(folder, "generation_config.json"), generation);
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
    /// <param name="file">The file.</param>
    /// <param name="problem">What was found and what was expected.</param>
    /// <param name="inner">What caused it.</param>
    public ModelFileException(string file, string problem, Exception? inner = null)
        : base(MessageText.ToOneLine($"{file}: {problem}"), inner) => File = file;

    /// <summary>For one tensor or key of a file.</summary>
    /// <param name="file">The file.</param>
    /// <param name="part">The tensor or key.</param>
    /// <param name="problem">What was found and what was expected.</param>
    /// <param name="inner">What caused it.</param>
    public ModelFileException(string file, string part, string problem, Exception? inner = null)
        : base(MessageText.ToOneLine($"{file}: {part}: {problem}"), inner)
    {
        File = file;
        Part = part;
    }

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>The tensor or key, or null where the whole file is meant.</summary>
    public string? Part { get; }
}
