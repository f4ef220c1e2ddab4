using System.Text.Json;
using CoPe.Gguf;
using CoPe.Modeling.Gguf;
using CoPe.Modeling.Safetensors;
using CoPe.Tokens.Pipeline;
using static TorchSharp.torch;

namespace CoPe.Modeling;

/// <summary>A model folder in Hugging Face's layout.</summary>
static class ModelFolder
{
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>Files beside the weights that belong to a model folder, by extension.</summary>
    static readonly string[] CopiedExtensions = [".json", ".jinja", ".model", ".tiktoken"];

    /// <summary>The same by the beginning of the name.</summary>
    static readonly string[] CopiedNames =
    [
        "license",
        "licence",
        "copying",
        "notice",
        "use_policy",
        "merges.txt",
        "vocab.txt",
    ];

    /// <summary>Files of these extensions that are not copied.</summary>
    static readonly string[] ExcludedEndings = [".index.json", "adapter_config.json", "trainer_state.json"];

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

    /// <summary>
    /// Writes a model with its linear layers rounded as a folder that loads like any other: the rounded matrices
    /// packed, the other weights in bf16, configuration and tokenizer as they are.
    /// </summary>
    /// <param name="baseFolder">The model.</param>
    /// <param name="output">A folder that is empty, or not there.</param>
    /// <param name="dtype">What to round to.</param>
    /// <exception cref="ModelFileException">The model cannot be used, or is rounded already.</exception>
    /// <exception cref="ArgumentException">The output folder is not empty.</exception>
    public static void WriteQuantized(string baseFolder, string output, QuantizedDtype dtype)
    {
        RequireEmpty(output);
        if (PackedCheckpoint.Find(baseFolder) is { } rounded)
        {
            var found = PackedCheckpoint.GetName(rounded);
            throw new ModelFileException(baseFolder, $"is rounded to {found} already; name the model it was made of.");
        }

        using var model = CausalLm.LoadQuantized(baseFolder, dtype);
        AtomicFile.WriteFolder(
            output,
            folder =>
            {
                var weights = model.Weights;
                PackedCheckpoint.Write(Path.Combine(folder, PackedCheckpoint.GetFileName(dtype)), weights.Quantized);
                var others = weights.Names.ToDictionary(name => name, name => weights[name]);
                SafetensorsWriter.Write(Path.Combine(folder, ShardedCheckpoint.SingleFileName), others);
                CopyCompanions(baseFolder, folder);
            }
        );
    }

    /// <summary>
    /// What a model's matrices are rounded to: of a folder that was written so, or of a GGUF file that has few bits a
    /// weight; null for any other.
    /// </summary>
    /// <exception cref="ModelFileException">A GGUF file is missing or damaged.</exception>
    public static QuantizedDtype? FindRounding(string path) =>
        GgufFile.IsNamed(path) ? GgufWeights.FindRounding(path) : PackedCheckpoint.Find(path);

    /// <summary>Refuses a folder that holds files.</summary>
    /// <exception cref="ArgumentException">It does.</exception>
    public static void RequireEmpty(string output)
    {
        if (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())
        {
            throw new ArgumentException(
                $"Folder {output} holds files already: name another one, or remove it first.",
                nameof(output)
            );
        }
    }

    /// <summary>Copies what belongs to a model beside its weights: configuration, tokenizer, license.</summary>
    public static void CopyCompanions(string from, string to)
    {
        if (GgufFile.IsNamed(from))
        {
            WriteDocuments(from, to);
            return;
        }

        foreach (var file in Directory.EnumerateFiles(from).Where(IsCopied))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }

    /// <summary>Writes what a GGUF file's metadata say as the files of a folder.</summary>
    static void WriteDocuments(string file, string folder)
    {
        var config = ConfigJson.ReadModel(file).ToNode();
        AtomicFile.WriteText(Path.Combine(folder, "config.json"), config.ToJsonString(Indented) + "\n");
        foreach (var (name, content) in GgufTokenizer.ReadDocuments(file))
        {
            AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(content));
        }
    }

    static bool IsCopied(string path)
    {
        var name = Path.GetFileName(path).ToLowerInvariant();
        if (ExcludedEndings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal)))
        {
            return false;
        }

        return CopiedExtensions.Contains(Path.GetExtension(name))
            || CopiedNames.Any(start => name.StartsWith(start, StringComparison.Ordinal));
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
