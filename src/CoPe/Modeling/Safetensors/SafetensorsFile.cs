namespace CoPe.Modeling.Safetensors;

/// <summary>A safetensors file, memory-mapped: tensors are views of the file and copy nothing.</summary>
public sealed class SafetensorsFile : IDisposable
{
    readonly MappedFile mapping;
    readonly Dictionary<string, TensorEntry> entries;

    SafetensorsFile(string path, IReadOnlyList<TensorEntry> entries)
    {
        Path = path;
        Entries = entries;
        this.entries = entries.ToDictionary(e => e.Name, StringComparer.Ordinal);
        mapping = new MappedFile(path);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Its tensors in the header's order.</summary>
    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>Opens a file and checks its whole header. Throws <see cref="ModelFileException"/> for a file that is missing, truncated or malformed.</summary>
    public static SafetensorsFile Open(string path)
    {
        try
        {
            if (!File.Exists(path)) throw new ModelFileException(path, "is missing.");
            return new SafetensorsFile(path, SafetensorsHeader.Read(path));
        }
        catch (FileNotFoundException e)
        {
            throw new ModelFileException(path, "is a link to a file that is gone. Download it again.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ModelFileException(path, "may not be read by this user.", e);
        }
    }

    /// <summary>Whether the file has this tensor.</summary>
    public bool Contains(string name) => entries.ContainsKey(name);

    /// <summary>A tensor of the file's dtype and shape over its bytes, read-only. The caller owns it; it stays valid after this object is disposed.</summary>
    public Tensor Read(string name) =>
        entries.TryGetValue(name, out var entry) ? mapping.Tensor(entry) : throw new ModelFileException(Path, name, "this tensor is missing.");

    /// <inheritdoc/>
    public void Dispose() => mapping.Dispose();
}
