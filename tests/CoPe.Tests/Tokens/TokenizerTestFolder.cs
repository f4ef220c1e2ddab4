using System.Text.Json;
using System.Text.Json.Nodes;

namespace CoPe.Tests.Tokens;

/// <summary>A model folder of its own for one test: a committed tokenizer, changed as the test needs, with a configuration.</summary>
public sealed class TokenizerTestFolder : IDisposable
{
    public TokenizerTestFolder(string family, object? config = null, Action<JsonObject>? change = null)
    {
        Directory.CreateDirectory(Folder);
        var tokenizer = JsonNode.Parse(File.ReadAllText(Path.Combine(TokenizerFolders.Tiny(family), "tokenizer.json")))!.AsObject();
        change?.Invoke(tokenizer);
        File.WriteAllText(Path.Combine(Folder, "tokenizer.json"), tokenizer.ToJsonString());
        if (config is not null) File.WriteAllText(Path.Combine(Folder, "tokenizer_config.json"), JsonSerializer.Serialize(config));
    }

    public TokenizerTestFolder(JsonObject tokenizer)
    {
        Directory.CreateDirectory(Folder);
        File.WriteAllText(Path.Combine(Folder, "tokenizer.json"), tokenizer.ToJsonString());
    }

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), "cope-tokenizer-" + Guid.NewGuid().ToString("N"));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
