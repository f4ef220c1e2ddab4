using CoPe.Modeling;
using CoPe.Runs;

namespace CoPe.Cli.Hub;

/// <summary>Which files of a repository a model needs. Repositories hold other formats too, often as large again.</summary>
static class HubFiles
{
    public const string Config = "config.json";
    public const string Single = "model.safetensors";
    public const string Index = "model.safetensors.index.json";

    static readonly string[] Exact = [Config, Index, "generation_config.json", "special_tokens_map.json", "added_tokens.json"];

    static readonly string[] Beginnings = ["tokenizer", "chat_template", "license", "licence", "copying", "notice", "use_policy"];

    /// <summary>Everything but the weights, in the order of the list.</summary>
    public static IEnumerable<string> Small(IEnumerable<string> files) =>
        files.Where(file => !file.Contains('/', StringComparison.Ordinal) && IsSmall(file.ToLowerInvariant()));

    static bool IsSmall(string name) => Exact.Contains(name) || (Beginnings.Any(begin => name.StartsWith(begin, StringComparison.Ordinal)) && !name.EndsWith(".safetensors", StringComparison.Ordinal));

    /// <summary>The weights files that the snapshot's index names, or the single one.</summary>
    /// <exception cref="RunException">The repository has no weights that are read.</exception>
    public static IReadOnlyList<string> Weights(HubName name, string snapshot, IReadOnlyCollection<string> files)
    {
        IReadOnlyList<string> needed = files.Contains(Index) ? CheckpointIndex.Files(Path.Combine(snapshot, Index)) : [Single];
        if (needed.FirstOrDefault(file => !files.Contains(file)) is not { } missing) return needed;
        throw new RunException(needed.Count == 1 && missing == Single
            ? $"{name} has neither {Single} nor {Index}: only safetensors weights are read; look for a conversion of the model"
            : $"{name}: {Index} names {missing}, which the repository does not have: tell its authors, or name another revision");
    }

    /// <summary>What a snapshot lacks to be a model folder; null for nothing. Links to files that are gone count as lacking.</summary>
    public static string? Missing(string snapshot)
    {
        var index = Path.Combine(snapshot, Index);
        string[] small = [Config, "tokenizer.json"];
        return small.Concat(File.Exists(index) ? CheckpointIndex.Files(index) : [Single]).FirstOrDefault(file => !IsThere(Path.Combine(snapshot, file)));
    }

    /// <summary>Whether a file, or what it links to, is there.</summary>
    public static bool IsThere(string path) => File.Exists(path) && (File.ResolveLinkTarget(path, returnFinalTarget: true)?.Exists ?? true);
}
