using CoPe.Experiments.Runs;
using CoPe.Modeling;
using static System.StringComparison;

namespace CoPe.Cli.Hub;

/// <summary>
/// Which files of a repository a model needs. Repositories hold other formats too, often as large again.
/// </summary>
static class HubFiles
{
    public const string ConfigFile = "config.json";
    public const string WeightsFile = "model.safetensors";
    public const string WeightsIndexFile = "model.safetensors.index.json";

    /// <summary>Most bytes of a file that describes a model; the largest tokenizers have a tenth.</summary>
    public const long MaxSmallFileBytes = 1L << 28;

    /// <summary>Most bytes of a weights file: twice what the hub takes.</summary>
    public const long MaxWeightsFileBytes = 1L << 40;

    const int MaxSmallFiles = 100;
    const int MaxNameLength = 150;

    /// <summary>Letters that Windows does not store, and those that separate folders anywhere.</summary>
    const string UnstorableLetters = "<>:\"/\\|?*";

    static readonly string[] DeviceNames = ["con", "prn", "aux", "nul", "com", "lpt"];

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

    /// <summary>
    /// Everything but the weights, in the order of the list; without names that are not storable.
    /// </summary>
    /// <exception cref="RunException">There are more than any model has.</exception>
    public static IReadOnlyList<string> SelectSmall(HubName name, IReadOnlyCollection<string> files)
    {
        var small = files.Where(file => IsSmall(file) && IsStorable(file)).ToList();
        return small.Count <= MaxSmallFiles
            ? small
            : throw new RunException(
                $"{name} has {small.Count} files that describe it, such as {small[^1]}; expected at most "
                    + $"{MaxSmallFiles}: what HF_ENDPOINT names may be no hub"
            );
    }

    /// <summary>Whether a file describes a model, by its name.</summary>
    public static bool IsSmall(string file)
    {
        var name = file.ToLowerInvariant();
        return !name.Contains('/', Ordinal)
            && (SmallFiles.Contains(name) || (HasSmallFilePrefix(name) && !name.EndsWith(".safetensors", Ordinal)));
    }

    /// <summary>
    /// Whether a name is that of a file within its folder on every system: not of a folder, a device or a stream of
    /// Windows, and neither too long nor shown as something else.
    /// </summary>
    public static bool IsStorable(string name) =>
        name.Length is > 0 and <= MaxNameLength
        && name.All(letter => letter is >= ' ' and <= '~' && !UnstorableLetters.Contains(letter, Ordinal))
        && name[0] != ' '
        && name[^1] is not (' ' or '.')
        && !IsDevice(name.Split('.')[0].TrimEnd());

    static bool IsDevice(string stem) =>
        DeviceNames.Contains(stem.TrimEnd("0123456789".ToCharArray()), StringComparer.OrdinalIgnoreCase)
        && stem.Length <= 4;

    static bool HasSmallFilePrefix(string name) => SmallFilePrefixes.Any(prefix => name.StartsWith(prefix, Ordinal));

    /// <summary>The single weights file where there is one, or those that the snapshot's index names.</summary>
    /// <exception cref="RunException">The repository has no weights that are read.</exception>
    public static IReadOnlyList<string> SelectWeights(HubName name, string snapshot, IReadOnlyCollection<string> files)
    {
        var needed =
            files.Contains(WeightsIndexFile) && !files.Contains(WeightsFile)
                ? CheckpointIndex.ReadShardNames(Path.Combine(snapshot, WeightsIndexFile))
                : [WeightsFile];
        if (needed.FirstOrDefault(file => !IsStorable(file)) is { } unstorable)
        {
            throw new RunException(
                $"{name}: {WeightsIndexFile} names '{unstorable}', which not every system can store: "
                    + "tell its authors, or name another revision"
            );
        }

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
