namespace CoPe.Experiments.Tests.Json;

/// <summary>Something that reads a file of JSON.</summary>
/// <param name="Sources">The source files that do it, below <c>src</c>.</param>
/// <param name="File">The file, within the folder of the test.</param>
/// <param name="Text">What it holds.</param>
/// <param name="Error">The exception for what it does not hold; null where such a file counts as none.</param>
/// <param name="Read">Reads it; the folder of the test is given.</param>
sealed record JsonReader(string[] Sources, string File, string Text, Type? Error, Action<string> Read)
{
    /// <summary>Damages that leave it what it should be, as what they touch is not read.</summary>
    public JsonDamage[] Tolerates { get; init; } = [];

    /// <summary>Files beside it, by name.</summary>
    public IReadOnlyDictionary<string, string> Beside { get; init; } = new Dictionary<string, string>();

    /// <summary>Writes the file; null writes the text as it is.</summary>
    public Action<string, byte[]>? Write { get; init; }

    public override string ToString() => File;

    /// <summary>Writes the file and those beside it into a folder.</summary>
    public void Prepare(string folder, byte[] content)
    {
        foreach (var (name, text) in Beside.Append(new(File, "")))
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            System.IO.File.WriteAllText(path, text);
        }

        var file = Path.Combine(folder, File);
        (Write ?? System.IO.File.WriteAllBytes)(file, content);
    }
}

/// <summary>Everything in the libraries that reads JSON from files.</summary>
static class JsonReaders
{
    public static IReadOnlyList<JsonReader> All { get; } =
    [.. ModelJsonReaders.All(), .. EvaluationJsonReaders.All(), .. RunJsonReaders.All(), .. DataJsonReaders.All()];
}
