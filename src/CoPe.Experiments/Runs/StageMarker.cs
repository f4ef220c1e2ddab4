using System.Text.Json;

namespace CoPe.Experiments.Runs;

/// <summary>
/// What a stage was made from and what it made. Written last, so that its presence says the outputs are whole.
/// </summary>
public sealed record StageMarker
{
    static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>The value of a file that lies there and that the stage does not read.</summary>
    public const string NotRead = "not read";

    /// <summary>The stage.</summary>
    public required string Stage { get; init; }

    /// <summary>
    /// Inputs by name: <c>recipe dpo.beta</c> to its value, <c>data user_others.json</c> to its SHA-256, <c>stage train
    /// tam</c> to that stage's hash.
    /// </summary>
    public required SortedDictionary<string, string> Inputs { get; init; }

    /// <summary>SHA-256 over <see cref="Inputs"/>.</summary>
    public required string Hash { get; init; }

    /// <summary>Size in bytes of every output file, by path within the run.</summary>
    public SortedDictionary<string, long> Outputs { get; init; } = [];

    /// <summary>Version of the program.</summary>
    public string Version { get; init; } = typeof(StageMarker).Assembly.GetName().Version!.ToString(3);

    /// <summary>When work began; for a stage that was interrupted, for the first time.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it was complete.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>Seconds at work, all sittings together.</summary>
    public double Seconds { get; init; }

    /// <summary>The hash of inputs: SHA-256 of their lines <c>name=value</c> in ordinal order of the names.</summary>
    public static string ComputeHash(IReadOnlyDictionary<string, string> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var lines = inputs
            .OrderBy(input => input.Key, StringComparer.Ordinal)
            .Select(input => $"{input.Key}={input.Value}\n");
        return StableHash.Sha256Hex(string.Concat(lines));
    }

    /// <summary>
    /// What differs from other inputs, in words; empty where nothing does. A file that the stage does not read may be
    /// what it likes, also where a former version noted its content.
    /// </summary>
    public IReadOnlyList<string> DescribeChanges(IReadOnlyDictionary<string, string> now)
    {
        ArgumentNullException.ThrowIfNull(now);
        return
        [
            .. Inputs
                .Keys.Union(now.Keys)
                .Order(StringComparer.Ordinal)
                .Where(name => IsChanged(Inputs.GetValueOrDefault(name), now.GetValueOrDefault(name)))
                .Select(name => Describe(name, Inputs.GetValueOrDefault(name), now.GetValueOrDefault(name))),
        ];
    }

    /// <summary>
    /// Output files of the marker that are gone or have another size. The figures of a training are none of them: they
    /// are looked at, and nothing is built on them.
    /// </summary>
    public IReadOnlyList<string> FindDamage(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var metrics = Path.GetRelativePath(run.Root, run.Metrics(Stage)).Replace('\\', '/');
        return
        [
            .. Outputs
                .Where(output =>
                    output.Key != metrics
                    && new FileInfo(Path.Combine(run.Root, output.Key)) is var file
                    && (!file.Exists || file.Length != output.Value)
                )
                .Select(output => output.Key),
        ];
    }

    /// <summary>Reads a marker; null where there is none or it is not readable as one.</summary>
    public static StageMarker? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<StageMarker>(File.ReadAllText(path), Options) : null;
        }
        catch (JsonException)
        {
            return null; // Not a marker: the stage counts as not run, which loses time and nothing else.
        }
    }

    /// <summary>Writes the marker.</summary>
    public void Write(string path) => AtomicFile.WriteText(path, JsonSerializer.Serialize(this, Options) + "\n");

    static bool IsChanged(string? before, string? now) =>
        before != now && now != NotRead && !(now is null && before == NotRead);

    static string Describe(string name, string? before, string? now) =>
        name.Split(' ')[0] switch
        {
            "recipe" => $"{name[7..]} was {before ?? "not set"}, is {now ?? "not set"}",
            "stage" => $"'{name[6..]}' has other inputs",
            _ when before is null => $"{name} is new",
            _ when now is null => $"{name} is gone",
            _ => $"{name} changed",
        };
}
