using System.Runtime.InteropServices;

namespace CoPe.Training;

/// <summary>Turns a failed allocation of a pass into a message that says what to lower.</summary>
static class OutOfMemoryGuard
{
    /// <summary>Runs a pass.</summary>
    /// <exception cref="InsufficientMemoryException">The pass does not fit.</exception>
    public static T Run<T>(TrainingContext context, IReadOnlyList<PlannedRow> rows, Func<T> pass)
    {
        try
        {
            return pass();
        }
        catch (Exception error) when (IsAllocationFailure(error))
        {
            throw new InsufficientMemoryException(CreateMessage(context, rows), error);
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

    static string CreateMessage(TrainingContext context, IReadOnlyList<PlannedRow> rows)
    {
        var options = context.Options;
        var names = context.MemoryOptionNames;
        var width = rows.Max(row => row.Row.PassLength);
        var (pass, remedy) =
            rows.Count > 1
                ? ($"{rows.Count} rows of {width} tokens", $"{names.TokensPerPass} (now {options.TokensPerPass})")
                : ($"one row of {width} tokens", $"{names.CutOff} (now {options.CutOff})");
        if (!options.RecomputeLayers && names.RecomputeLayers is not null)
        {
            remedy += $", or set {names.RecomputeLayers} to true";
        }
        return $"{context.Stage}: a pass of {pass} does not fit into memory; lower {remedy}.";
    }
}

/// <summary>What a program's user calls the options that a training's memory depends on, for messages.</summary>
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
