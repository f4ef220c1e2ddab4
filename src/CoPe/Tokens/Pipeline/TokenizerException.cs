namespace CoPe.Tokens.Pipeline;

/// <summary>A tokenizer file that is broken, or asks for something that is not supported.</summary>
/// <param name="file">The file read.</param>
/// <param name="part">Path of the part inside it, for example <c>pre_tokenizer.pretokenizers[0].pattern</c>.</param>
/// <param name="problem">What was found, what was expected, and what to do.</param>
/// <param name="inner">The error behind it, if any.</param>
public sealed class TokenizerException(string file, string part, string problem, Exception? inner = null)
    : FormatException(MessageText.ToOneLine($"{file}: {(part.Length == 0 ? "" : part + ": ")}{problem}"), inner)
{
    /// <summary>The file read.</summary>
    public string File { get; } = file;

    /// <summary>Path of the part inside the file; empty for the file as a whole.</summary>
    public string Part { get; } = part;
}
