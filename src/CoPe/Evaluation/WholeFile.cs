namespace CoPe.Evaluation;

/// <summary>Writes a file beside its place and moves it there, so that no half-written one is ever found.</summary>
static class WholeFile
{
    public static void Write(string path, Action<Stream> write)
    {
        var unfinished = path + ".unfinished";
        try
        {
            using (var stream = File.Create(unfinished)) write(stream);
            File.Move(unfinished, path, overwrite: true);
        }
        catch
        {
            File.Delete(unfinished);
            throw;
        }
    }
}
