namespace CoPe.Data;

/// <summary>Writes a file through another beside it, so that it appears whole or not at all.</summary>
static class WholeFile
{
    public static void Write(string path, IEnumerable<string> lines) => Write(path, stream =>
    {
        using var writer = new StreamWriter(stream) { NewLine = "\n" };
        foreach (var line in lines) writer.WriteLine(line);
    });

    public static void Write(string path, Action<Stream> write)
    {
        var half = path + ".half";
        try
        {
            using (var stream = File.Create(half)) write(stream);
            File.Move(half, path, overwrite: true);
        }
        catch
        {
            File.Delete(half);
            throw;
        }
    }
}
