namespace CoPe.Fuzz.Readers;

/// <summary>A folder for readers that read files: in memory where the system has such a place.</summary>
sealed class Scratch : IDisposable
{
    const string MemoryFolder = "/dev/shm";

    public Scratch()
    {
        var parent = Directory.Exists(MemoryFolder) ? MemoryFolder : Path.GetTempPath();
        Folder = Path.Combine(parent, $"cope-fuzz-{Environment.ProcessId}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Folder);
    }

    public string Folder { get; }

    public string At(string relative) => Path.Combine(Folder, relative);

    /// <summary>A folder, made where it is not there yet.</summary>
    public string MakeFolder(string relative) => Directory.CreateDirectory(At(relative)).FullName;

    public string Write(string relative, byte[] bytes)
    {
        var path = At(relative);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public string Write(string relative, string text) => Write(relative, Mutations.Bytes.Of(text));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
