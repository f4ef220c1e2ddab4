namespace CoPe.Evaluation.Report;

/// <summary>Style and script of the page, carried inside the library.</summary>
internal static class ReportAsset
{
    /// <summary>The text of an asset by its file name.</summary>
    /// <exception cref="InvalidOperationException">The library was built without it.</exception>
    public static string Read(string name)
    {
        using var stream = typeof(ReportAsset).Assembly.GetManifestResourceStream("CoPe.Evaluation.Report." + name)
            ?? throw new InvalidOperationException($"The report's asset '{name}' is not in the library; it must be an EmbeddedResource of CoPe.csproj.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
