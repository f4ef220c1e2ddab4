using CoPe.Modeling;
using CoPe.Runs;

namespace CoPe.Cli.Hub;

/// <summary>Which files of a repository a model needs. Repositories hold other formats too, often as large again.</summary>
static class HubFiles
{
    public const string Config = "config.json";
    public const string Single = "model.safetensors";
    public const string Index = "model.safetensors.index.json";

    /// <summary>Files that loading looks for, here and in Python's tools, whether a repository has them or not.</summary>
    static readonly string[] LookedFor =
    [
        Single, Index, "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "adapter_config.json",
    ];

    static readonly string[] Exact = [Config, Index, "generation_config.json", "special_tokens_map.json", "added_tokens.json"];

    static readonly string[] Beginnings = ["tokenizer", "chat_template", "license", "licence", "copying", "notice", "use_policy"];

    /// <summary>Everything but the weights, in the order of the list.</summary>
    public static IEnumerable<string> Small(IEnumerable<string> files) =>
        files.Where(file => !file.Contains('/', StringComparison.Ordinal) && IsSmall(file.ToLowerInvariant()));

    static bool IsSmall(string name) => Exact.Contains(name) || (Beginnings.Any(begin => name.StartsWith(begin, StringComparison.Ordinal)) && !name.EndsWith(".safetensors", StringComparison.Ordinal));

    /// <summary>The single weights file where there is one, or those that the snapshot's index names.</summary>
    /// <exception cref="RunException">The repository has no weights that are read.</exception>
    public static IReadOnlyList<string> Weights(HubName name, string snapshot, IReadOnlyCollection<string> files)
    {
        IReadOnlyList<string> needed = files.Contains(Index) && !files.Contains(Single) ? CheckpointIndex.Files(Path.Combine(snapshot, Index)) : [Single];
        if (needed.FirstOrDefault(file => !files.Contains(file)) is not { } missing) return needed;
        throw new RunException(needed.Count == 1 && missing == Single
            ? $"{name} has neither {Single} nor {Index}: only safetensors weights are read; look for a conversion of the model"
            : $"{name}: {Index} names {missing}, which the repository does not have: tell its authors, or name another revision");
    }

    /// <summary>Of the files that are looked for, those that are not in the list.</summary>
    public static IEnumerable<string> Lacking(IReadOnlyCollection<string> files) => LookedFor.Where(file => !files.Contains(file));

    /// <summary>Where it is noted that a snapshot's commit does not have a file.</summary>
    public static string LackingMarker(string snapshot, string file) => Path.Combine(snapshot, "..", "..", ".no_exist", Path.GetFileName(snapshot), file);

    /// <summary>What a snapshot lacks to be a model folder, though its commit may have it; null for nothing. Links to files that are gone count as lacking.</summary>
    public static string? Missing(string snapshot)
    {
        var index = Path.Combine(snapshot, Index);
        string[] small = [Config, "tokenizer.json"];
        return small.Concat(File.Exists(index) && !IsThere(Path.Combine(snapshot, Single)) ? CheckpointIndex.Files(index) : [Single])
            .FirstOrDefault(file => !IsThere(Path.Combine(snapshot, file)) && !File.Exists(LackingMarker(snapshot, file)));
    }

    /// <summary>Whether a file, or what it links to, is there.</summary>
    public static bool IsThere(string path) => File.Exists(path) && (File.ResolveLinkTarget(path, returnFinalTarget: true)?.Exists ?? true);
}
