using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CoPe.Tests.Tokens;

/// <summary>
/// Tokenizers to be equal to: the committed small ones, then those of the folder named by COPE_TOKENIZERS (and of its
/// folder <c>tiny</c>).
/// </summary>
public static class TokenizerFolders
{
    static readonly string Committed = Path.Combine(
        Path.GetDirectoryName(Path.GetDirectoryName(ThisFile())!)!,
        "Tokenizers"
    );

    /// <summary>The committed folder, then the other one and its <c>tiny</c>.</summary>
    public static IEnumerable<string> Roots()
    {
        yield return Committed;
        if (Environment.GetEnvironmentVariable("COPE_TOKENIZERS") is not { Length: > 0 } other)
        {
            yield break;
        }

        if (!Directory.Exists(other))
        {
            throw new DirectoryNotFoundException($"COPE_TOKENIZERS names {other}, which is no folder.");
        }

        yield return other;
        if (Directory.Exists(Path.Combine(other, "tiny")))
        {
            yield return Path.Combine(other, "tiny");
        }
    }

    /// <summary>Every folder with a tokenizer and its expected results.</summary>
    public static TheoryData<string> WithVectors() =>
        [
            .. Roots()
                .SelectMany(Directory.GetDirectories)
                .Order(StringComparer.Ordinal)
                .Where(folder =>
                    File.Exists(Path.Combine(folder, "vectors.json"))
                    && File.Exists(Path.Combine(folder, "tokenizer.json"))
                ),
        ];

    /// <summary>The committed folder of a family.</summary>
    public static string Tiny(string family) => Path.Combine(Committed, family);

    static string ThisFile([CallerFilePath] string path = "") => path;
}

/// <summary>
/// A model folder of its own for one test: a committed tokenizer, changed as the test needs, with a configuration.
/// </summary>
public sealed class TokenizerTestFolder : IDisposable
{
    public TokenizerTestFolder(string family, object? config = null, Action<JsonObject>? change = null)
    {
        Directory.CreateDirectory(Folder);
        var tokenizer = JsonNode
            .Parse(File.ReadAllText(Path.Combine(TokenizerFolders.Tiny(family), "tokenizer.json")))!
            .AsObject();
        change?.Invoke(tokenizer);
        File.WriteAllText(Path.Combine(Folder, "tokenizer.json"), tokenizer.ToJsonString());
        if (config is not null)
        {
            File.WriteAllText(Path.Combine(Folder, "tokenizer_config.json"), JsonSerializer.Serialize(config));
        }
    }

    public TokenizerTestFolder(JsonObject tokenizer)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "tokenizer.json"), tokenizer.ToJsonString());
    }

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), "cope-tokenizer-" + Guid.NewGuid().ToString("N"));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
