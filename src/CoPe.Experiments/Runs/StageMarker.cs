using System.Text.Json;
using System.Text.Json.Serialization;
using CoPe.Json;

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

    /// <summary>A century: more than any stage takes, and no more than a time span holds.</summary>
    const double MaxSeconds = 100 * 365.25 * 24 * 3600;

    /// <summary>Folders of users are named by their percent-encoded ids (<see cref="IdFileName"/>).</summary>
    internal const string PercentEncoded = "percent-encoded";

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

    /// <summary>
    /// The users that the outputs are of, by id; null where the outputs do not fall apart by users, or the marker is of
    /// a version that recorded the data files instead.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SortedDictionary<string, UserMark>? Users { get; init; }

    /// <summary>
    /// Hash of the files and keys that <see cref="Users"/> follow from: where it is the same, they need not be read.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? UsersSource { get; init; }

    /// <summary>
    /// In the marker of a beginning: users whose earlier parts are still to be removed. Null where none are.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Removing { get; init; }

    /// <summary>
    /// How the users' folders are named: <c>percent-encoded</c>; null in the marker of a version that named them
    /// otherwise.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? UserNames { get; init; }

    /// <summary>Size in bytes of every output file, by path within the run.</summary>
    public SortedDictionary<string, long> Outputs { get; init; } = [];

    /// <summary>Version of the program.</summary>
    public string Version { get; init; } = typeof(StageMarker).Assembly.GetName().Version!.ToString(3);

    /// <summary>
    /// The environments that it was made in, in their order: one, unless it was resumed in another. Null in a marker of
    /// a version that did not record them.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<RunEnvironment>? Environments { get; init; }

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

    /// <summary>The marker of a stage at which work goes on in an environment.</summary>
    internal StageMarker With(RunEnvironment environment) =>
        Environments is [.., var last] && last.FindChanges(environment).Count == 0
            ? this
            : this with
            {
                Environments = [.. Environments ?? [], environment],
            };

    /// <summary>What differs from other inputs, in words; empty where nothing does.</summary>
    public IReadOnlyList<string> DescribeChanges(IReadOnlyList<StageInput> now) =>
        [.. FindChanges(now).Select(change => change.ToString())];

    /// <summary>
    /// What differs from other inputs; empty where nothing does. A file that the stage does not read may have any
    /// content.
    /// </summary>
    internal IReadOnlyList<InputChange> FindChanges(IReadOnlyList<StageInput> now)
    {
        ArgumentNullException.ThrowIfNull(now);
        var before = Inputs.ToDictionary(input => input.Label);
        var after = now.ToDictionary(input => input.Label);
        return
        [
            .. before
                .Keys.Union(after.Keys)
                .Order(StringComparer.Ordinal)
                .Select(label => new InputChange(before.GetValueOrDefault(label), after.GetValueOrDefault(label)))
                .Where(change => change.IsRelevant),
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
    /// <remarks>
    /// A stage without a marker has not run; of one whose marker is damaged nobody knows what it is of. Whoever removes
    /// or replaces something because there is no marker tells the two apart by <see cref="FindProblem"/>.
    /// </remarks>
    public static StageMarker? Read(string path) => TryRead(path, out _);

    /// <summary>Reads a marker; null where there is none, or where what lies there is none.</summary>
    /// <param name="path">The marker.</param>
    /// <param name="problem">Why what lies there is no marker; null where it is one, or nothing lies there.</param>
    internal static StageMarker? TryRead(string path, out string? problem)
    {
        problem = null;
        if (!FileKinds.IsReadable(path))
        {
            problem = Path.Exists(path) ? "it is no file" : null;
            return null;
        }

        try
        {
            return Parse(path);
        }
        catch (InvalidJsonException error)
        {
            problem = error.Message;
            return null;
        }
        catch (FileNotFoundException)
        {
            problem = "it is a link that leads nowhere"; // Which .NET calls a file that exists.
            return null;
        }
    }

    /// <summary>Why what lies in a marker's place is none; null where it is one, or nothing lies there.</summary>
    internal static string? FindProblem(string path)
    {
        try
        {
            _ = TryRead(path, out var problem);
            return problem;
        }
        catch (UnauthorizedAccessException error)
        {
            return error.Message;
        }
    }

    static StageMarker Parse(string path)
    {
        var marker = StrictJson.DeserializeFile<StageMarker>(path, Options);
        return marker switch
        {
            { Seconds: not (>= 0 and <= MaxSeconds) } => throw new InvalidJsonException("seconds", "out of range"),
            _ when marker.Outputs.Keys.Any(output => output.Contains('\0', StringComparison.Ordinal)) =>
                throw new InvalidJsonException("outputs", "a path with a null character"),
            _ => marker,
        };
    }

    /// <summary>Writes the marker.</summary>
    public void Write(string path) => AtomicFile.WriteText(path, JsonSerializer.Serialize(this, Options) + "\n");
}

/// <summary>An input of a stage that is new, is gone or has another value than when the stage was made.</summary>
/// <param name="Before">What the stage was made from; null where it is new.</param>
/// <param name="Now">What is there now; null where it is gone.</param>
sealed record InputChange(StageInput? Before, StageInput? Now)
{
    /// <summary>The input as it is known.</summary>
    public StageInput Known => Now ?? Before!;

    /// <summary>Whether the two differ in what the stage reads.</summary>
    public bool IsRelevant =>
        Before?.Value != Now?.Value
        && Now?.Value != StageInput.NotRead
        && !(Now is null && Before!.Value == StageInput.NotRead);

    /// <summary>Whether it is no more than the consequence of a change before the stage.</summary>
    public bool IsConsequence => Known.Kind == InputKinds.Stage;

    /// <summary>The change in words.</summary>
    public override string ToString()
    {
        if (Known.Kind == InputKinds.Recipe)
        {
            return $"{Known.Name} was {Before?.Value ?? "not set"}, is {Now?.Value ?? "not set"}";
        }

        if (Known.Kind == InputKinds.Stage)
        {
            return Before is null ? $"'{Known.Name}' is needed now"
                : Now is null ? $"'{Known.Name}' is no longer needed"
                : $"'{Known.Name}' has other inputs";
        }

        var what = Before is null ? "is new" : "changed";
        return Now is null ? $"{Known.Label} is missing" : $"{Known.Label} {what}";
    }
}
