using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Sessions;

/// <summary>Gives the users' folders of a run that an earlier version made the names of today.</summary>
static class RenamedUsers
{
    /// <summary>
    /// Renames them, before anything of the run is read. Nothing is done where all names are of today.
    /// </summary>
    /// <exception cref="RunException">Another process is at work in the run, or two users have one folder.</exception>
    public static void Rename(CommandHost host, RunDirectory run)
    {
        var former = new FormerUserNames(run);
        if (!former.IsPending())
        {
            return;
        }

        using (RunLock.Acquire(run))
        {
            former.Rename();
        }

        host.WriteMessage($"{run.Name}: folders of users have other names now, one to one with their ids");
    }
}
