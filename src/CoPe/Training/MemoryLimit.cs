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
        catch (ExternalException error) when (error.Message.Contains("memory", StringComparison.OrdinalIgnoreCase))
        {
            var width = rows.Max(row => row.Row.Ids.Length);
            var lower = rows.Count > 1 ? $"max tokens per pass (now {run.Options.MaxTokensPerPass})" : $"the cut-off (now {run.Options.CutOff} tokens), because a pass holds one row at least,";
            throw new InsufficientMemoryException($"{run.Stage}: a pass of {rows.Count} rows of {width} tokens does not fit into memory. Lower {lower} or train fewer users at once.", error);
        }
    }
}
