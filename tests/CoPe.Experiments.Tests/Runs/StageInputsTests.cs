using CoPe.Experiments.Runs;

namespace CoPe.Experiments.Tests.Runs;

/// <summary>What a stage says of itself: the files it reads, and what stands against running it.</summary>
public sealed class StageInputsTests : ToyPipeline
{
    [Fact]
    public void A_file_that_a_stage_does_not_read_may_change()
    {
        first.ReadFiles = InputKinds.Others;
        second.ReadFiles = InputKinds.Users;
        pipeline.Run(Context());
        folder.Write("data/t/user_top_100_history.json", "[1]");

        Assert.Equal(
            [StageState.Complete, StageState.Stale, StageState.Stale],
            pipeline.GetStatus(Context()).Select(stage => stage.State)
        );
        pipeline.Run(Context());
        folder.Write("data/t/user_top_100_history.json", "[1, 2]");

        var status = pipeline.GetStatus(Context());
        Assert.Equal([StageState.Complete, StageState.Stale, StageState.Stale], status.Select(stage => stage.State));
        Assert.Contains("data user_top_100_history.json changed", status[1].Reasons);
        Assert.Equal([1, 2, 2], Counts);
    }

    [Fact]
    public void A_missing_file_matters_to_the_stages_that_read_it()
    {
        folder.Write("data/t/user_top_100_history.json", "[]");
        first.ReadFiles = InputKinds.Others;
        second.ReadFiles = InputKinds.Users;
        pipeline.Run(Context());

        File.Delete(folder.At("data/t/user_top_100_history.json"));

        var status = pipeline.GetStatus(Context());
        Assert.Equal(StageState.Complete, status[0].State);
        Assert.Contains("data user_top_100_history.json is missing", status[1].Reasons);
    }

    [Fact]
    public void A_stage_with_a_conflict_is_not_run_nor_anything_before_it()
    {
        second.Conflict = "what lies there was paid for";

        Assert.Equal(second.Conflict, Assert.Throws<RunException>(() => pipeline.Run(Context())).Message);
        Assert.Equal(second.Conflict, Assert.Throws<RunException>(() => pipeline.Run(Context())).Message);
        Assert.Equal([0, 0, 0], Counts);

        pipeline.Run(Context() with { AllowCostlyRebuild = true });
        Assert.Equal([1, 1, 1], Counts);
    }
}
