using CoPe.Cli.Failures;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Sessions;

/// <summary>Files that a person asks for, and the folders of runs.</summary>
static class RunFiles
{
    /// <summary>
    /// Refuses to write a file into a run: there it would outlive the erasure of a user, which knows the stages' files.
    /// </summary>
    /// <param name="runs">The runs that the content is of.</param>
    /// <param name="path">The file.</param>
    /// <param name="name">The file as the person named it.</param>
    /// <exception cref="UsageException">It lies in one of the runs.</exception>
    public static void RefuseWithin(IEnumerable<RunDirectory> runs, string path, string name)
    {
        if (runs.FirstOrDefault(run => RealPath.IsWithin(path, run.Root)) is { } run)
        {
            throw new UsageException(
                $"{name} lies in the run {run.Name}, where 'cope user forget' would not find it: name a file elsewhere"
            );
        }
    }
}
