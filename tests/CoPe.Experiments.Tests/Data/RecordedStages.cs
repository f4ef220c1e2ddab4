namespace CoPe.Experiments.Tests.Data;

/// <summary>Records the names of the stages that reported progress, in the order of their first reports.</summary>
sealed class RecordedStages : IProgress<StageProgress>
{
    public List<string> Names { get; } = [];

    public void Report(StageProgress value)
    {
        Assert.InRange(value.Done, 0, value.Total);
        if (!Names.Contains(value.Stage))
        {
            Names.Add(value.Stage);
        }
    }
}
