namespace CoPe.Modeling;

/// <summary>A file of a model or adapter that cannot be used: says which file, which tensor or key, what was found and what was expected.</summary>
public sealed class ModelFileException : IOException
{
    /// <summary>For a whole file.</summary>
    public ModelFileException(string file, string problem, Exception? inner = null) : base($"{file}: {problem}", inner) => File = file;

    /// <summary>For one tensor or key of a file.</summary>
    public ModelFileException(string file, string part, string problem, Exception? inner = null) : base($"{file}: {part}: {problem}", inner)
    {
        File = file;
        Part = part;
    }

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>The tensor or key, or null where the whole file is meant.</summary>
    public string? Part { get; }
}
