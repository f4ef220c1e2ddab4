using System.Runtime.InteropServices;

namespace CoPe.Training;

/// <summary>Turns a failed allocation of a pass into a message that says what to lower.</summary>
internal static class MemoryLimit
{
    /// <summary>Runs a pass.</summary>
    /// <exception cref="InsufficientMemoryException">The pass does not fit.</exception>
    public static T Guard<T>(TrainingRun run, IReadOnlyList<PlannedRow> rows, Func<T> pass)
    {
        try
        {
            return pass();
        }
        catch (Exception error) when (IsAllocation(error))
        {
            throw new InsufficientMemoryException(Message(run, rows), error);
        }
    }

    /// <summary>libtorch's allocator, that of a device, and C++'s own each word it differently.</summary>
    static bool IsAllocation(Exception error) => error is OutOfMemoryException
        || (error is ExternalException && (error.Message.Contains("memory", StringComparison.OrdinalIgnoreCase) || error.Message.Contains("bad_alloc", StringComparison.Ordinal)));

    static string Message(TrainingRun run, IReadOnlyList<PlannedRow> rows)
    {
        var width = rows.Max(row => row.Row.Ids.Length);
        var names = run.MemorySettings;
        var (pass, lower) = rows.Count > 1
            ? ($"{rows.Count} rows of {width} tokens", $"{names.TokensPerPass} (now {run.Options.MaxTokensPerPass})")
            : ($"one row of {width} tokens", $"{names.CutOff} (now {run.Options.CutOff})");
        var recompute = run.Options.RecomputeLayers || names.RecomputeLayers is null ? "" : $", or set {names.RecomputeLayers} to true";
        return $"{run.Stage}: a pass of {pass} does not fit into memory; lower {lower}{recompute}.";
    }
}
