using CoPe.Experiments.Runs;
using CoPe.Modeling;

namespace CoPe.Cli.Hub;

/// <summary>
/// Which files of a repository a model needs. Repositories hold other formats too, often as large again.
/// </summary>
static class HubFiles
{
    public const string ConfigFile = "config.json";
    public const string WeightsFile = "model.safetensors";
    public const string WeightsIndexFile = "model.safetensors.index.json";

    /// <summary>
    /// Files that loaders look for, here and in Python's tools, whether a repository has them or not.
    /// </summary>
    static readonly string[] ProbedFiles =
    [
        WeightsFile,
        WeightsIndexFile,
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "chat_template.jinja",
        "adapter_config.json",
    ];

    static readonly string[] SmallFiles =
    [
        ConfigFile,
        WeightsIndexFile,
        "generation_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
    ];

    static readonly string[] SmallFilePrefixes =
    [
        "tokenizer",
        "chat_template",
        "license",
        "licence",
        "copying",
        "notice",
        "use_policy",
    ];

    /// <summary>Everything but the weights, in the order of the list.</summary>
    public static IEnumerable<string> SelectSmall(IEnumerable<string> files) =>
        files.Where(file => !file.Contains('/', StringComparison.Ordinal) && IsSmall(file.ToLowerInvariant()));

    static bool IsSmall(string name) =>
        SmallFiles.Contains(name)
        || (HasSmallFilePrefix(name) && !name.EndsWith(".safetensors", StringComparison.Ordinal));

    static bool HasSmallFilePrefix(string name) =>
        SmallFilePrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>The single weights file where there is one, or those that the snapshot's index names.</summary>
    /// <exception cref="RunException">The repository has no weights that are read.</exception>
    public static IReadOnlyList<string> SelectWeights(HubName name, string snapshot, IReadOnlyCollection<string> files)
    {
        var needed =
            files.Contains(WeightsIndexFile) && !files.Contains(WeightsFile)
                ? CheckpointIndex.ReadShardNames(Path.Combine(snapshot, WeightsIndexFile))
                : [WeightsFile];
        if (needed.FirstOrDefault(file => !files.Contains(file)) is not { } missing)
        {
            return needed;
        }

        throw new RunException(
            missing == WeightsFile
                ? $"{name} has neither {WeightsFile} nor {WeightsIndexFile}: "
                    + "only safetensors weights are read; look for a conversion of the model"
                : $"{name}: {WeightsIndexFile} names {missing}, which the repository does not have: "
                    + "tell its authors, or name another revision"
        );
    }

    /// <summary>Of the files that loaders look for, those that are not in the list.</summary>
    public static IEnumerable<string> SelectAbsent(IReadOnlyCollection<string> files) =>
        ProbedFiles.Where(file => !files.Contains(file));

    /// <summary>The empty file that records that a snapshot's commit does not have a file.</summary>
    public static string AbsentMarker(string snapshot, string file) =>
        Path.Combine(snapshot, "..", "..", ".no_exist", Path.GetFileName(snapshot), file);

    /// <summary>
    /// A file that a snapshot lacks to be a model folder, though its commit may have it; null where it is complete. A
    /// link without its target counts as missing.
    /// </summary>
    public static string? FindMissing(string snapshot)
    {
        var index = Path.Combine(snapshot, WeightsIndexFile);
        var isSharded = File.Exists(index) && !Exists(Path.Combine(snapshot, WeightsFile));
        string[] weights = isSharded ? [.. CheckpointIndex.ReadShardNames(index)] : [WeightsFile];
        string[] needed = [ConfigFile, "tokenizer.json", .. weights];
        return needed.FirstOrDefault(file =>
            !Exists(Path.Combine(snapshot, file)) && !File.Exists(AbsentMarker(snapshot, file))
        );
    }

    /// <summary>Whether a file, or what it links to, is there.</summary>
    public static bool Exists(string path) =>
        File.Exists(path) && (File.ResolveLinkTarget(path, returnFinalTarget: true)?.Exists ?? true);
}
