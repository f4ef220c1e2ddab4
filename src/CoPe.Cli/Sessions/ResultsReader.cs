using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Results;

namespace CoPe.Cli.Sessions;

/// <summary>Reads results of runs, which are refused where they are out of date.</summary>
/// <param name="host">The environment of the command.</param>
/// <param name="allowStale">Results that are out of date are read with a warning.</param>
sealed class ResultsReader(CommandHost host, bool allowStale)
{
    /// <summary>The results of a run, or of the seeds within it.</summary>
    public RunResults Read(RunDirectory run)
    {
        var options = new RunResultsOptions
        {
            AllowStale = allowStale,
            FindModel = model => ModelSource.FindNamedLocal(host, model),
            OnStale = warning => host.WriteWarnings([warning]),
        };
        return RunResults.Read(run, host.ProgramFolders, host.Pipeline, options);
    }
}
