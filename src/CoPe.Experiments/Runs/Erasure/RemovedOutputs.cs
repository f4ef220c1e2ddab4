namespace CoPe.Experiments.Runs.Erasure;

/// <summary>What an erasure removes of a run whole, since nobody's part of it can be taken out.</summary>
static class RemovedOutputs
{
    /// <summary>Removes what is of all users together.</summary>
    public static void RemoveAggregates(RunDirectory run)
    {
        foreach (var file in run.AggregateFiles)
        {
            AtomicFile.Remove(file);
        }
    }

    /// <summary>Removes stages, the marker last: while it is there, the outputs are known to be the run's.</summary>
    public static void RemoveStages(RunDirectory run, IEnumerable<Stage> stages)
    {
        foreach (var stage in stages)
        {
            foreach (var output in stage.GetUserOutputs(run).ToList())
            {
                AtomicFile.Remove(output.FullPath);
            }

            AtomicFile.Remove(run.Marker(stage.Id));
        }
    }
}
