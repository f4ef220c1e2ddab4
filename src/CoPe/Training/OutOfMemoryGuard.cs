using System.Runtime.InteropServices;

namespace CoPe.Training;

/// <summary>Turns a failed allocation of a pass into a message that says what to lower.</summary>
static class OutOfMemoryGuard
{
    /// <summary>Runs a pass.</summary>
    /// <exception cref="InsufficientMemoryException">The pass does not fit.</exception>
    public static T Run<T>(TrainingContext run, IReadOnlyList<PlannedRow> rows, Func<T> pass)
    {
        try
        {
            return pass();
        }
        catch (Exception error) when (IsAllocationFailure(error))
        {
            throw new InsufficientMemoryException(Message(run, rows), error);
        }
    }

    /// <summary>libtorch's allocator, that of a device, and C++'s own each word it differently.</summary>
    static bool IsAllocationFailure(Exception error) =>
        error is OutOfMemoryException
        || (
            error is ExternalException
            && (
                error.Message.Contains("memory", StringComparison.OrdinalIgnoreCase)
                || error.Message.Contains("bad_alloc", StringComparison.Ordinal)
            )
        );

    static string Message(TrainingContext run, IReadOnlyList<PlannedRow> rows)
    {
        var width = rows.Max(row => row.Row.Ids.Length);
        var names = run.MemoryOptionNames;
        var (pass, lower) =
            rows.Count > 1
                ? ($"{rows.Count} rows of {width} tokens", $"{names.TokensPerPass} (now {run.Options.TokensPerPass})")
                : ($"one row of {width} tokens", $"{names.CutOff} (now {run.Options.CutOff})");
        var recompute =
            run.Options.RecomputeLayers || names.RecomputeLayers is null
                ? ""
                : $", or set {names.RecomputeLayers} to true";
        return $"{run.Stage}: a pass of {pass} does not fit into memory; lower {lower}{recompute}.";
    }
}

/// <summary>What the person at work calls the options that a training's memory depends on, for messages.</summary>
/// <param name="TokensPerPass"><see cref="TrainingOptions.TokensPerPass"/>.</param>
/// <param name="CutOff"><see cref="TrainingOptions.CutOff"/>.</param>
/// <param name="RecomputeLayers"><see cref="TrainingOptions.RecomputeLayers"/>; null where it cannot be set.</param>
sealed record MemoryOptionNames(string TokensPerPass, string CutOff, string? RecomputeLayers)
{
    /// <summary>The names in code.</summary>
    public static MemoryOptionNames InCode { get; } =
        new(
            nameof(TrainingOptions.TokensPerPass),
            nameof(TrainingOptions.CutOff),
            nameof(TrainingOptions.RecomputeLayers)
        );

    /// <summary>The keys of a section of the recipe.</summary>
    public static MemoryOptionNames OfSection(string section) =>
        new($"{section}.tokens_per_pass", $"{section}.cut_off", $"{section}.recompute_layers");
}
