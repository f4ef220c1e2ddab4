using System.Globalization;
using CoPe.Kernels.Gemm;

namespace CoPe.Modeling;

/// <summary>
/// Rounded matrices of models that were opened before, so that the next opening maps a file instead of rounding again.
/// A file is named after the model's folder, its path, and the names, sizes and times of its files: where one of
/// these is another, the matrices are rounded again, and their file takes the place of the former one. It may be
/// deleted at any time.
/// </summary>
/// <param name="folder">Where the files are; created when the first one is written.</param>
/// <param name="minBytes">
/// Least bytes of a model's weights: a smaller one is rounded sooner than a file is found.
/// </param>
sealed class RoundedWeightsCache(string folder, long minBytes = RoundedWeightsCache.DefaultMinBytes)
{
    const long DefaultMinBytes = 64 << 20;

    /// <summary>Part of the names: files of another way of rounding or packing are not read.</summary>
    const int Format = 1;

    const int HashLength = 16;

    /// <summary>
    /// The user's cache: <c>cope/rounded</c> in <c>XDG_CACHE_HOME</c>, or in <c>.cache</c> of the home folder.
    /// </summary>
    public static RoundedWeightsCache OfUser()
    {
        var root = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } given
            ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
        return new(Path.Combine(root, "cope", "rounded"));
    }

    /// <summary>The matrices of a model, mapped; null where they are not there, or its weights are small.</summary>
    /// <param name="model">Folder or file of the model.</param>
    /// <param name="config">Its shape.</param>
    /// <param name="dtype">What its linear layers are rounded to.</param>
    /// <returns>The matrices by name; the caller's.</returns>
    public Dictionary<string, QuantizedWeights>? Find(string model, DecoderConfig config, QuantizedDtype dtype)
    {
        var path = GetPath(model, dtype);
        if (!IsLarge(model) || !File.Exists(path))
        {
            return null;
        }

        try
        {
            return PackedCheckpoint.Read(path, config, dtype);
        }
        catch (ModelFileException)
        {
            // Cut off or overwritten: written anew.
            return null;
        }
    }

    /// <summary>
    /// Keeps matrices that were just rounded. What cannot be written is said and otherwise changes nothing.
    /// </summary>
    /// <param name="model">Folder or file of the model.</param>
    /// <param name="dtype">What its linear layers are rounded to.</param>
    /// <param name="matrices">The matrices by name; still the caller's.</param>
    /// <param name="warn">Told why nothing was kept.</param>
    public void Keep(
        string model,
        QuantizedDtype dtype,
        IReadOnlyDictionary<string, QuantizedWeights> matrices,
        Action<string>? warn
    )
    {
        if (!IsLarge(model))
        {
            return;
        }

        var path = GetPath(model, dtype);
        try
        {
            Directory.CreateDirectory(folder);
            PackedCheckpoint.Write(path, matrices);
            foreach (var former in Directory.EnumerateFiles(folder, $"{GetStem(model)}-*.{GetEnding(dtype)}"))
            {
                if (former != path)
                {
                    File.Delete(former);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            warn?.Invoke(
                $"The rounded weights could not be kept in {folder}, so that the next start rounds them again: "
                    + $"{error.Message} Give the cache another place with XDG_CACHE_HOME, or write a folder with "
                    + "'cope model quantize'."
            );
        }
    }

    string GetPath(string model, QuantizedDtype dtype) =>
        Path.Combine(folder, $"{GetStem(model)}-{HashContent(model)}.{GetEnding(dtype)}");

    static string GetEnding(QuantizedDtype dtype) => $"{PackedCheckpoint.GetName(dtype)}.safetensors";

    /// <summary>Name of a model that people recognize, and its path.</summary>
    static string GetStem(string model)
    {
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(model));
        return $"{Path.GetFileName(path)}-{StableHash.Sha256Hex(path)[..HashLength]}";
    }

    static string HashContent(string model)
    {
        var lines = ListFiles(model)
            .Select(file =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{file.Name}\t{file.Length}\t{file.LastWriteTimeUtc.Ticks}\n"
                )
            );
        return StableHash.Sha256Hex($"{Format}\n{string.Concat(lines)}")[..HashLength];
    }

    bool IsLarge(string model) => CheckpointReader.FindShards(model).Sum(shard => GetTarget(shard).Length) >= minBytes;

    static IEnumerable<FileInfo> ListFiles(string model) =>
        (Directory.Exists(model) ? [Path.Combine(model, "config.json")] : Array.Empty<string>())
            .Concat(CheckpointReader.FindShards(model))
            .Select(GetTarget);

    /// <summary>The file itself: a hub's snapshot has links to it.</summary>
    static FileInfo GetTarget(string path) =>
        (FileInfo?)File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path);
}
