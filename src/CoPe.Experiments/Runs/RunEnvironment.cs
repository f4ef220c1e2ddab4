using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Modeling;
using TorchSharp;

namespace CoPe.Experiments.Runs;

/// <summary>
/// What of the machine and the process can change a result, by a bit or more: the same run is the same to the bit where
/// all of it is the same (docs/environment.md has a table of what changes what).
/// </summary>
public sealed record RunEnvironment
{
    /// <summary>Name of the processor. Libraries choose their code by it as well.</summary>
    public required string Processor { get; init; }

    /// <summary>Instruction sets of the processor by which code is chosen.</summary>
    public required string Instructions { get; init; }

    /// <summary>Bits of the vectors that .NET computes with, which it can be told to make narrower.</summary>
    public required int VectorBits { get; init; }

    /// <summary>What models compute with; null where the model is not there, and nothing computes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ComputeEnvironment? Compute { get; init; }

    /// <summary>Version of .NET, which has the categories of characters.</summary>
    public required string Runtime { get; init; }

    /// <summary>Version of ICU, which has their case and normal forms; <c>none</c> where there is no ICU.</summary>
    public required string Icu { get; init; }

    /// <summary>Environment variables that are set and that numerical libraries or .NET choose code by.</summary>
    public required SortedDictionary<string, string> Variables { get; init; }

    /// <summary>The environment of this process for a run.</summary>
    internal static RunEnvironment Capture(RunWorkspace workspace)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        return new()
        {
            Processor = Kernels.Processor.Name,
            Instructions = string.Join(' ', Kernels.Processor.InstructionSets),
            VectorBits = Kernels.Processor.VectorBits,
            Compute = ComputeEnvironment.Capture(workspace),
            Runtime = RuntimeInformation.FrameworkDescription,
            Icu = IcuLibrary.Version,
            Variables = LibraryVariables.Select(Environment.GetEnvironmentVariables()),
        };
    }

    /// <summary>
    /// What differs from another environment, and what each difference may change; empty for nothing.
    /// </summary>
    internal IReadOnlyList<EnvironmentChange> FindChanges(RunEnvironment now)
    {
        ArgumentNullException.ThrowIfNull(now);
        EnvironmentChange Compare(string name, object? before, object? after, EnvironmentEffect effect) =>
            new(name, Describe(before), Describe(after), effect);

        List<EnvironmentChange> all =
        [
            Compare("processor", Processor, now.Processor, EnvironmentEffect.Rounding),
            Compare("instruction set", Instructions, now.Instructions, EnvironmentEffect.Rounding),
            Compare("vector width of .NET", VectorBits, now.VectorBits, EnvironmentEffect.Rounding),
            Compare("device", Compute?.Device, now.Compute?.Device, EnvironmentEffect.Rounding),
            Compare("torch", Compute?.Torch, now.Compute?.Torch, EnvironmentEffect.Rounding),
            Compare("thread count", Compute?.Threads, now.Compute?.Threads, EnvironmentEffect.Rounding),
            Compare(
                "pass length in tokens",
                Compute?.TokensPerPass,
                now.Compute?.TokensPerPass,
                EnvironmentEffect.Rounding
            ),
            Compare(".NET", Runtime, now.Runtime, EnvironmentEffect.Characters),
            Compare("ICU", Icu, now.Icu, EnvironmentEffect.Characters),
            .. Variables
                .Keys.Union(now.Variables.Keys)
                .Order(StringComparer.Ordinal)
                .Select(name =>
                    Compare(
                        name,
                        Variables.GetValueOrDefault(name),
                        now.Variables.GetValueOrDefault(name),
                        EnvironmentEffect.Rounding
                    )
                ),
        ];
        return all.FindAll(change => change.Before != change.Now);
    }

    static string Describe(object? value) =>
        Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: > 0 } text ? text : "none";
}

/// <summary>What models compute with.</summary>
public sealed record ComputeEnvironment
{
    /// <summary>Where the model computes: <c>cpu</c> or <c>cuda</c>.</summary>
    public required string Device { get; init; }

    /// <summary>Version of libtorch, with which come those of MKL and oneDNN.</summary>
    public required string Torch { get; init; }

    /// <summary>Threads of torch.</summary>
    public required int Threads { get; init; }

    /// <summary>
    /// Tokens of a pass of training, where the machine's memory decides it; null where the recipe does.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? TokensPerPass { get; init; }

    /// <summary>Null where a model cannot be read: whether it must be is for the stages to say.</summary>
    internal static ComputeEnvironment? Capture(RunWorkspace workspace)
    {
        ArgumentNullException.ThrowIfNull(workspace);
        ModelInfo model;
        try
        {
            model = ModelInfo.Read(workspace.Inputs.Model);
        }
        catch (Exception error) when (error is ModelFileException or IOException)
        {
            return null;
        }

        var recipe = workspace.Recipe;
        TrainingSection[] sections = [recipe.Tam, recipe.Sft, recipe.Dpo];
        return new()
        {
            Device = workspace.Device.type.ToString().ToLowerInvariant(),
            Torch = torch.__version__,
            Threads = torch.get_num_threads(),
            TokensPerPass = sections.All(section => section.TokensPerPass is not null)
                ? null
                : workspace.Plan?.TokensPerPass
                    ?? TrainingMemory.ChooseTokensPerPass(model, recipe.ModelDtype, workspace.Device),
        };
    }
}

/// <summary>What another environment may change.</summary>
enum EnvironmentEffect
{
    /// <summary>The last bits of sums, and what hangs on them.</summary>
    Rounding,

    /// <summary>What is known of characters that are new in Unicode.</summary>
    Characters,
}

/// <summary>A difference between two environments.</summary>
sealed record EnvironmentChange(string Name, string Before, string Now, EnvironmentEffect Effect)
{
    /// <summary>All differences in a sentence, with what they may change.</summary>
    public static string Describe(IReadOnlyList<EnvironmentChange> changes)
    {
        var effects = changes.Select(change => change.Effect).Distinct().Order().Select(DescribeEffect);
        return $"{string.Join("; ", changes)}: {string.Join("; ", effects)}";
    }

    /// <summary>The difference in words.</summary>
    public override string ToString() => $"{Name} was {Before}, is {Now}";

    static string DescribeEffect(EnvironmentEffect effect) =>
        effect switch
        {
            EnvironmentEffect.Rounding =>
                "sums are rounded otherwise, and adapters, candidates, answers and figures made now may differ a "
                    + "little from what one environment would have made",
            _ => "token ids and figures may differ for characters that are new in Unicode",
        };
}

/// <summary>Environment variables by which numerical libraries and .NET choose their code.</summary>
static class LibraryVariables
{
    static readonly string[] Prefixes =
    [
        "OMP_",
        "GOMP_",
        "KMP_",
        "MKL_",
        "ONEDNN_",
        "DNNL_",
        "ATEN_",
        "TORCH_",
        "CUBLAS_",
        "CUDNN_",
        "NVIDIA_TF32",
        "DOTNET_Enable",
        "DOTNET_PreferredVectorBitWidth",
        "DOTNET_MaxVectorTBitWidth",
        "DOTNET_SYSTEM_GLOBALIZATION_",
        "COMPlus_Enable",
    ];

    /// <summary>Those that change how fast or how verbose something is, and nothing else.</summary>
    static readonly string[] Harmless =
    [
        "OMP_WAIT_POLICY",
        "OMP_PROC_BIND",
        "OMP_PLACES",
        "OMP_STACKSIZE",
        "OMP_DISPLAY_ENV",
        "OMP_DISPLAY_AFFINITY",
        "GOMP_CPU_AFFINITY",
        "GOMP_SPINCOUNT",
        "GOMP_STACKSIZE",
        "KMP_AFFINITY",
        "KMP_BLOCKTIME",
        "KMP_WARNINGS",
        "KMP_DUPLICATE_LIB_OK",
        "MKL_VERBOSE",
        "ONEDNN_VERBOSE",
        "DNNL_VERBOSE",
        "TORCH_HOME",
        "TORCH_CPP_LOG_LEVEL",
        "TORCH_SHOW_CPP_STACKTRACES",
        "DOTNET_EnableDiagnostics",
        "DOTNET_EnableEventPipe",
        "DOTNET_EnableWriteXorExecute",
        "DOTNET_SYSTEM_GLOBALIZATION_PREDEFINED_CULTURES_ONLY",
    ];

    /// <summary>Those among the variables of a process.</summary>
    public static SortedDictionary<string, string> Select(IDictionary variables)
    {
        ArgumentNullException.ThrowIfNull(variables);
        var found = variables
            .Cast<DictionaryEntry>()
            .Select(entry => (Name: (string)entry.Key, Value: (string?)entry.Value ?? ""))
            .Where(variable => IsRelevant(variable.Name))
            .ToDictionary(variable => variable.Name, variable => variable.Value);
        return new(found, StringComparer.Ordinal);
    }

    static bool IsRelevant(string name) =>
        !Harmless.Contains(name)
        && Array.Exists(Prefixes, prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
}
