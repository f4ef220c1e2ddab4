using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Sessions;

/// <summary>What a command does with a run whose rebuild was killed, before it reads anything of it.</summary>
static class InterruptedRebuild
{
    /// <summary>
    /// Brings back what a killed rebuild had set aside, and says which command continues it. Nothing is done where no
    /// rebuild is pending.
    /// </summary>
    /// <exception cref="RunException">A rebuild is at work: what lies in the run is neither old nor new.</exception>
    public static void BringBack(CommandHost host, RunDirectory run)
    {
        if (!RunReplacement.IsPending(run))
        {
            return;
        }

        using (AcquireLock(run))
        {
            RunReplacement.RollBack(run);
        }

        host.WriteMessage($"a rebuild of {run.Name} was killed, and the run is as it was before it{Describe(run)}");
    }

    /// <summary>The run of a folder, as it was before a rebuild that was killed.</summary>
    /// <param name="host">The environment of the command.</param>
    /// <param name="name">The folder.</param>
    /// <param name="duringErasure">Also where an erasure was interrupted: for those who show or finish it.</param>
    /// <exception cref="RunException">A rebuild is at work, or an erasure was interrupted.</exception>
    public static RunDirectory OpenRun(CommandHost host, string name, bool duringErasure = false)
    {
        var run = new RunDirectory(host.PathOf(name), name);
        BringBack(host, run);
        if (!duringErasure)
        {
            ErasureJournal.ThrowIfInterrupted(run);
        }

        return run;
    }

    /// <summary>Says that the beginning of a rebuild is kept in a run, and which command continues it.</summary>
    public static void WriteUnfinished(CommandHost host, RunDirectory run)
    {
        if (Directory.Exists(run.Unfinished.Root))
        {
            host.WriteMessage($"{run.Unfinished.Name} keeps the beginning of a rebuild{Describe(run)}");
        }
    }

    static RunLock AcquireLock(RunDirectory run)
    {
        try
        {
            return RunLock.Acquire(run);
        }
        catch (RunException error)
        {
            throw new RunException(
                $"{run.Name} is being rebuilt by another process, and what lies there is neither old nor new: wait for "
                    + $"it; 'cope status --run {run.Name}' shows how far it is",
                error
            );
        }
    }

    static string Describe(RunDirectory run) =>
        RunReplacement.ReadUnfinishedCommand(run) is { } command ? $"; '{command}' continues it" : "";
}
