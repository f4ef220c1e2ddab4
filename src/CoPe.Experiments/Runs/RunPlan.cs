using System.Text.Json;
using CoPe.Decoding;
using CoPe.Kernels.Threads;

namespace CoPe.Experiments.Runs;

/// <summary>
/// What of its first machine a run keeps, so that whoever computes a part of it later rounds alike: <c>plan.json</c>.
/// Users trained at once and rows scored at once follow from it, the recipe and the users' texts. Threads, tokens and
/// rows are taken from the plan on any machine; one that computes with other instructions is refused.
/// </summary>
sealed record RunPlan
{
    static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>Instruction sets of the processor by which code is chosen.</summary>
    public required string Instructions { get; init; }

    /// <summary>Bits of the vectors that .NET computes with.</summary>
    public required int VectorBits { get; init; }

    /// <summary>Where models compute; null where the run's model cannot be read.</summary>
    public string? Device { get; init; }

    /// <summary>Threads of torch and of the kernels; null where the run's model cannot be read.</summary>
    public int? Threads { get; init; }

    /// <summary>Tokens of a pass of training, where the recipe leaves them to the machine's memory.</summary>
    public int? TokensPerPass { get; init; }

    /// <summary>Rows of a pass of decoding, where the recipe does not say.</summary>
    public required int RowsPerPass { get; init; }

    /// <summary>The plan that this machine would make.</summary>
    public static RunPlan Create(RunEnvironment environment) =>
        new()
        {
            Instructions = environment.Instructions,
            VectorBits = environment.VectorBits,
            Device = environment.Compute?.Device,
            Threads = environment.Compute?.Threads,
            TokensPerPass = environment.Compute?.TokensPerPass,
            RowsPerPass = new EngineOptions().MaxRows,
        };

    /// <summary>The plan of a run; null where it has none.</summary>
    /// <exception cref="RunException">The file is damaged.</exception>
    public static RunPlan? Read(RunDirectory run)
    {
        const string advice = "delete it, and the next command plans for its own machine";
        if (!File.Exists(run.Plan))
        {
            return null;
        }

        var plan = RunJson.Read<RunPlan>(run.Plan, Options, advice);
        return plan is { Threads: null or > 0, TokensPerPass: null or > 0, RowsPerPass: > 0 }
            ? plan
            : throw RunJson.CreateDamagedError(run.Plan, "a number that is not positive", advice);
    }

    /// <summary>Writes the plan into a run.</summary>
    public void Write(RunDirectory run) =>
        AtomicFile.WriteText(run.Plan, JsonSerializer.Serialize(this, Options) + "\n");

    /// <summary>Has a context's stages computed by the run's plan, which is made where there is none.</summary>
    /// <returns>Gives the process its own number of threads back when disposed.</returns>
    /// <exception cref="PlanMismatchException">This machine cannot compute by it.</exception>
    public static IDisposable Follow(StageContext context)
    {
        var workspace = context.Workspace;
        var plan = workspace.Plan ?? Read(context.Run);
        var machine = Create(RunEnvironment.Capture(workspace));
        if (plan is null)
        {
            plan = machine;
            plan.Write(context.Run);
        }

        plan.ThrowIfImpossible(machine, context.Run);
        workspace.Plan = plan;
        return TorchThreads.Use(plan.Threads);
    }

    /// <summary>Throws where the run has a plan that this machine cannot compute by.</summary>
    /// <exception cref="PlanMismatchException">It cannot.</exception>
    public static void CheckMachine(StageContext context) =>
        Read(context.Run)?.ThrowIfImpossible(Create(RunEnvironment.Capture(context.Workspace)), context.Run);

    void ThrowIfImpossible(RunPlan machine, RunDirectory run)
    {
        (string What, object? Planned, object? Here)[] pinned =
        [
            ("instruction set", Instructions, machine.Instructions),
            ("vector width of .NET", VectorBits, machine.VectorBits),
            ("device", Device, machine.Device),
        ];
        var differing = pinned.Where(one => one.Planned is not null && !one.Planned.Equals(one.Here)).ToList();
        if (differing.Count > 0)
        {
            var problems = differing.Select(one => $"{one.What} {one.Planned}, this machine has {one.Here ?? "none"}");
            throw new PlanMismatchException(
                $"{run.Name} is planned for {string.Join("; ", problems)}, and its numbers would differ: run it on a "
                    + "machine like its first, or start another run (what is complete may be read anywhere; to mix "
                    + $"both all the same, delete {run.Plan})"
            );
        }
    }
}

/// <summary>This machine cannot compute as the run's plan says.</summary>
sealed class PlanMismatchException(string message) : Exception(MessageText.ToOneLine(message));
