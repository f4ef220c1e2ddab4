namespace CoPe.Runs.Privacy;

/// <summary>
/// What an erasure notes before it changes anything: the stages that will be whole at its end. Afterwards their markers cannot tell, for the user is an input of each;
/// an erasure that goes on from an interrupted one goes by the note.
/// </summary>
public static class ErasureNote
{
    /// <summary>Requires that no erasure was interrupted in a run: its stages are neither with the user nor without him.</summary>
    /// <exception cref="RunException">One was; the message says how to finish it.</exception>
    public static void RequireNone(RunDirectory run)
    {
        ArgumentNullException.ThrowIfNull(run);
        if (File.Exists(run.Erasure)) throw new RunException($"an erasure in {run.Name} was interrupted: repeat 'cope user forget {run.Name} USER' first, which finishes it and keeps what belongs to others");
    }

    /// <summary>The stages noted; null where no erasure is under way.</summary>
    internal static string[]? Read(RunDirectory run) => File.Exists(run.Erasure) ? File.ReadAllLines(run.Erasure) : null;

    internal static void Write(RunDirectory run, string[] stages) => AtomicFile.WriteLines(run.Erasure, stages);
}
