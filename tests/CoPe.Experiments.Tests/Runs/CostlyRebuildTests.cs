using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

/// <summary>Which work is thrown away without asking, and which is not.</summary>
public sealed class CostlyRebuildTests : ToyPipeline
{
    void SetDuration(StageId stage, int minutes)
    {
        var marker = Context().Run.Marker(stage);
        (StageMarker.Read(marker)! with { Seconds = 60 * minutes }).Write(marker);
    }

    [Fact]
    public void Work_of_ten_minutes_is_discarded_only_on_request()
    {
        pipeline.Run(Context());
        SetDuration(StageId.TrainSft, minutes: 10);

        var error = Assert.Throws<RunException>(() => pipeline.Run(Context("tam.epochs=9")));
        Assert.StartsWith("tam.epochs was 3, is 9: 3 stages of ", error.Message, StringComparison.Ordinal);
        Assert.Contains(" would be rebuilt, 10 minutes of work: ", error.Message, StringComparison.Ordinal);
        Assert.Throws<RunException>(() => pipeline.RunStage(Context("sft.epochs=5"), StageId.TrainSft));
        Assert.Equal([1, 1, 1], Counts);
        Assert.Equal((3, 2), (SavedRecipe.Tam.Training.Epochs, SavedRecipe.Sft.Training.Epochs));

        pipeline.RunStage(Context("sft.epochs=5"), StageId.TrainSft, again: true);
        SetDuration(StageId.TrainSft, minutes: 10);
        pipeline.Run(Context("sft.epochs=6") with { AllowCostlyRebuild = true });
        Assert.Equal([1, 3, 2], Counts);
        Assert.Equal(6, SavedRecipe.Sft.Training.Epochs);
    }

    [Fact]
    public void Long_work_that_is_damaged_is_rebuilt()
    {
        pipeline.Run(Context());
        SetDuration(StageId.TrainSft, minutes: 10);
        File.WriteAllText(folder.At("run/train sft.out"), "");

        pipeline.Run(Context("sft.epochs=5"));

        Assert.Equal([1, 2, 2], Counts);
    }

    [Fact]
    public void Long_work_that_is_partly_damaged_is_discarded_only_on_request()
    {
        var sft = new ToyStage(StageId.TrainSft, ["sft.epochs"], StageId.TrainTam)
        {
            ExtraOutputs = ["sft/1.out", "sft/2.out"],
        };
        var stages = new Pipeline([first, sft, third]);
        stages.Run(Context());
        SetDuration(StageId.TrainSft, minutes: 10);
        File.Delete(folder.At("run/sft/2.out"));

        var error = Assert.Throws<RunException>(() => stages.Run(Context()));
        Assert.StartsWith("sft/2.out is missing or damaged: 1 stage of ", error.Message, StringComparison.Ordinal);
        Assert.Contains(" would be rebuilt, 10 minutes of work: ", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, sft.Executions);
    }

    [Fact]
    public void Missing_training_metrics_do_not_cause_a_rebuild()
    {
        var sft = new ToyStage(StageId.TrainSft, ["sft.epochs"], StageId.TrainTam)
        {
            ExtraOutputs = ["metrics/train-sft.jsonl"],
        };
        var stages = new Pipeline([first, sft, third]);
        stages.Run(Context());
        File.Delete(folder.At("run/metrics/train-sft.jsonl"));

        stages.Run(Context());
        var other = ContextAt("other");
        stages.Run(other, reuseFrom: [Context().Run]);
        Assert.Equal([1, 1, 1], [first.Executions, sft.Executions, third.Executions]);
    }

    [Fact]
    public void The_time_of_a_killed_session_counts()
    {
        second.BeforeExecute = _ => throw new OperationCanceledException();
        Assert.Throws<OperationCanceledException>(() => pipeline.Run(Context()));
        var checkpoint = folder.Write("run/checkpoints/train-sft/step-1", "partial");
        File.SetLastWriteTimeUtc(
            Context().Run.StartedMarker(StageId.TrainSft),
            File.GetLastWriteTimeUtc(checkpoint) - TimeSpan.FromMinutes(15)
        );

        Assert.Contains(
            " would be rebuilt, 15 minutes of work: ",
            Assert.Throws<RunException>(() => pipeline.Run(Context("sft.epochs=5"))).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<OperationCanceledException>(() => pipeline.Run(Context()));
        Assert.InRange(StageMarker.Read(Context().Run.StartedMarker(StageId.TrainSft))!.Seconds, 900, 1000);
    }

    [Fact]
    public void Stale_outputs_are_out_of_the_way_before_the_first_stage_executes()
    {
        pipeline.Run(Context());
        var seen = new List<bool>();
        second.BeforeExecute = _ =>
            seen.Add(File.Exists(folder.At("run/evaluate.out")) || File.Exists(Context().Run.Marker(StageId.Evaluate)));

        pipeline.Run(Context("sft.epochs=5"));

        Assert.Equal([false], seen);
        Assert.Equal([1, 2, 2], Counts);
    }
}
