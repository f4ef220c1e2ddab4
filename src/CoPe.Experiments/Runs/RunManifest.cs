using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace CoPe.Experiments.Runs;

/// <summary>
/// What made a run: program, machine, recipe, files and the time of every stage. Written beside the results.
/// </summary>
public sealed record RunManifest
{
    static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Version of the program.</summary>
    public required string Version { get; init; }

    /// <summary>Operating system and processor.</summary>
    public required string Machine { get; init; }

    /// <summary>.NET.</summary>
    public required string Runtime { get; init; }

    /// <summary>Logical processors.</summary>
    public required int Processors { get; init; }

    /// <summary>
    /// The environment of the command that wrote this. Stages that were made in another one have it with them.
    /// </summary>
    public RunEnvironment? Environment { get; init; }

    /// <summary>Every value of the recipe that results depend on.</summary>
    public required IReadOnlyDictionary<string, string> Recipe { get; init; }

    /// <summary>SHA-256 of every input file.</summary>
    public required IReadOnlyDictionary<string, string> Files { get; init; }

    /// <summary>The complete stages in order.</summary>
    public required IReadOnlyList<StageMarker> Stages { get; init; }

    /// <summary>The manifest of a run as it stands.</summary>
    public static RunManifest Create(Pipeline pipeline, StageContext context)
    {
        ArgumentNullException.ThrowIfNull(pipeline);
        ArgumentNullException.ThrowIfNull(context);
        var hashes = context.Workspace.Hashes;
        return new()
        {
            Version = typeof(RunManifest).Assembly.GetName().Version!.ToString(3),
            Machine = $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}",
            Runtime = RuntimeInformation.FrameworkDescription,
            Processors = System.Environment.ProcessorCount,
            Environment = context.Environment,
            Recipe = context.Workspace.Recipe.Values(),
            Files = context
                .Inputs.ListFiles(InputKinds.Files)
                .ToDictionary(file => file.Label, file => hashes.ComputeHash(file.FullPath)),
            Stages =
            [
                .. pipeline
                    .Stages.Select(stage => StageMarker.Read(context.Run.Marker(stage.Id)))
                    .OfType<StageMarker>()
                    .Select(marker => Shorten(marker, context.Environment)),
            ],
        };
    }

    static StageMarker Shorten(StageMarker marker, RunEnvironment environment)
    {
        var isSame = marker.Environments is [var only] && only.FindChanges(environment).Count == 0;
        return marker with
        {
            Outputs = [],
            Users = null,
            UsersSource = null,
            UserNames = null,
            Environments = isSame ? null : marker.Environments,
        };
    }

    /// <summary>How long a stage took by a manifest; null where it does not say so, or cannot be read.</summary>
    internal static double? FindSeconds(string path, string stage)
    {
        try
        {
            return Read(path).Stages.FirstOrDefault(one => one.Stage == stage)?.Seconds;
        }
        catch (RunException)
        {
            return null;
        }
    }

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="RunException">It is not there or not one.</exception>
    public static RunManifest Read(string path)
    {
        try
        {
            return RunJson.Read<RunManifest>(path, Options, "name the folder of a run that is complete");
        }
        catch (IOException error)
        {
            throw new RunException(
                $"{path} is no manifest of a run ({error.Message}): name the folder of a run",
                error
            );
        }
    }

    /// <summary>Writes the manifest.</summary>
    public void Write(string path) => AtomicFile.WriteText(path, JsonSerializer.Serialize(this, Options) + "\n");
}
