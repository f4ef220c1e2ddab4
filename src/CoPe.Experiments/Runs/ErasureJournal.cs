using static System.StringComparison;

namespace CoPe.Experiments.Runs;

/// <summary>
/// What an erasure records before it changes anything: the stages that will be complete at its end, and those that are
/// removed whole. While it runs, markers and outputs cannot show that, since the users are an input of each; repeated
/// after an interruption, it continues from this record.
/// </summary>
/// <param name="Complete">Names of the stages that will be complete.</param>
/// <param name="Removed">Names of the stages that are removed.</param>
sealed record ErasureJournal(IReadOnlyList<string> Complete, IReadOnlyList<string> Removed)
{
    const string RemovedMark = "removed: ";

    /// <summary>
    /// Checks that no erasure was interrupted in a run, which leaves some stages with the user and some without.
    /// </summary>
    /// <exception cref="RunException">One was; the message says how to finish it.</exception>
    public static void ThrowIfInterrupted(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (DescribeInterrupted(run) is { } message)
        {
            throw new RunException(message);
        }
    }

    /// <summary>That an erasure was interrupted in a run, and how to finish it; null where none was.</summary>
    public static string? DescribeInterrupted(RunDirectory run) =>
        File.Exists(run.PendingErasure)
            ? $"an erasure in {run.Name} was interrupted: repeat 'cope user forget {run.Name} USER' first, "
                + "which finishes it and keeps what belongs to others"
            : null;

    /// <summary>The record; null where no erasure is pending.</summary>
    public static ErasureJournal? Read(RunDirectory run)
    {
        if (!File.Exists(run.PendingErasure))
        {
            return null;
        }

        var lines = File.ReadAllLines(run.PendingErasure).ToLookup(line => line.StartsWith(RemovedMark, Ordinal));
        return new([.. lines[false]], [.. lines[true].Select(line => line[RemovedMark.Length..])]);
    }

    /// <summary>Writes the record.</summary>
    public void Write(RunDirectory run) =>
        AtomicFile.WriteLines(run.PendingErasure, [.. Complete, .. Removed.Select(stage => RemovedMark + stage)]);
}
