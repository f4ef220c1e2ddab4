namespace CoPe.Experiments.Tests.Data;

/// <summary>Keeps the names of the stages that told of progress, in the order of their beginnings.</summary>
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
