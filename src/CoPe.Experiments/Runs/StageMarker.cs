using System.Text.Json;
using System.Text.Json.Serialization;

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

    /// <summary>The stage.</summary>
    public required string Stage { get; init; }

    /// <summary>
    /// What it was made from. In the file an object: <c>recipe dpo.beta</c> to its value, <c>data user_others.json</c>
    /// to its SHA-256, <c>stage train tam</c> to that stage's hash.
    /// </summary>
    [JsonConverter(typeof(StageInputsConverter))]
    public required IReadOnlyList<StageInput> Inputs { get; init; }

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

    /// <summary>Seconds at work, all sessions together.</summary>
    public double Seconds { get; init; }

    /// <summary>The hash of inputs: SHA-256 of their lines <c>label=value</c> in ordinal order of the labels.</summary>
    public static string ComputeHash(IEnumerable<StageInput> inputs)
    {
        var lines = inputs
            .OrderBy(input => input.Label, StringComparer.Ordinal)
            .Select(input => $"{input.Label}={input.Value}\n");
        return StableHash.Sha256Hex(string.Concat(lines));
    }

    /// <summary>
    /// What differs from other inputs, in words; empty where nothing does. A file that the stage does not read may have
    /// any content.
    /// </summary>
    public IReadOnlyList<string> DescribeChanges(IReadOnlyList<StageInput> now)
    {
        ArgumentNullException.ThrowIfNull(now);
        var before = Inputs.ToDictionary(input => input.Label);
        var after = now.ToDictionary(input => input.Label);
        return
        [
            .. before
                .Keys.Union(after.Keys)
                .Order(StringComparer.Ordinal)
                .Select(label => DescribeChange(before.GetValueOrDefault(label), after.GetValueOrDefault(label)))
                .OfType<string>(),
        ];
    }

    /// <summary>
    /// Output files of the marker that are missing or have another size. The metrics of a training do not count:
    /// nothing is built on them.
    /// </summary>
    public IReadOnlyList<string> FindDamage(RunDirectory run, StageId stage)
    {
        ArgumentNullException.ThrowIfNull(run);
        var metrics = run.GetRelativePath(run.Metrics(stage));
        var damaged = new List<string>();
        foreach (var (path, size) in Outputs)
        {
            var file = new FileInfo(Path.Combine(run.Root, path));
            if (path != metrics && (!file.Exists || file.Length != size))
            {
                damaged.Add(path);
            }
        }

        return damaged;
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

    static string? DescribeChange(StageInput? before, StageInput? now)
    {
        var known = now ?? before!;
        if (before?.Value == now?.Value || now?.Value == StageInput.NotRead)
        {
            return null;
        }

        if (known.Kind == InputKinds.Recipe)
        {
            return $"{known.Name} was {before?.Value ?? "not set"}, is {now?.Value ?? "not set"}";
        }

        if (known.Kind == InputKinds.Stage)
        {
            return before is null ? $"'{known.Name}' is needed now"
                : now is null ? $"'{known.Name}' is no longer needed"
                : $"'{known.Name}' has other inputs";
        }

        if (before is null)
        {
            return $"{known.Label} is new";
        }

        if (now is null)
        {
            return before.Value == StageInput.NotRead ? null : $"{known.Label} is missing";
        }

        return $"{known.Label} changed";
    }
}
