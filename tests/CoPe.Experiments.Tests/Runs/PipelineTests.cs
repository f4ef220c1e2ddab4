using CoPe.Experiments.Runs;

namespace CoPe.Experiments.Tests.Runs;

public sealed class PipelineTests : ToyPipeline
{
    [Fact]
    public void Stages_run_in_order_and_only_once()
    {
        pipeline.Run(Context());
        pipeline.Run(Context());

        Assert.Equal([1, 1, 1], Counts);
        Assert.All(pipeline.GetStatus(Context()), status => Assert.Equal(StageState.Complete, status.State));
    }

    [Fact]
    public void Another_run_reuses_the_stages_that_its_changed_key_does_not_touch()
    {
        pipeline.Run(Context());
        var other = ContextAt("other", "sft.epochs=5");

        pipeline.Run(other, last: StageId.TrainSft, reuseFrom: [other.Run, Context().Run]);

        Assert.Equal([1, 2, 1], Counts);
        Assert.Equal(
            [StageState.Complete, StageState.Complete, StageState.Missing],
            pipeline.GetStatus(other).Select(status => status.State)
        );
        Assert.All(pipeline.GetStatus(Context()), status => Assert.Equal(StageState.Complete, status.State));
    }

    [Fact]
    public void A_damaged_stage_is_not_reused()
    {
        pipeline.Run(Context());
        File.AppendAllText(folder.At("run/train tam.out"), "more");

        pipeline.Run(ContextAt("other"), reuseFrom: [Context().Run]);

        Assert.Equal([2, 1, 1], Counts);
    }

    [Fact]
    public void A_changed_key_runs_its_stage_and_those_after_it_again_and_is_named()
    {
        pipeline.Run(Context());

        var status = pipeline.GetStatus(Context("sft.epochs=5"));
        Assert.Equal([StageState.Complete, StageState.Stale, StageState.Stale], status.Select(stage => stage.State));
        Assert.Equal(["sft.epochs was 2, is 5"], status[1].Reasons);
        Assert.Equal(["'train sft' has other inputs"], status[2].Reasons);

        pipeline.Run(Context("sft.epochs=5"));
        Assert.Equal([1, 2, 2], Counts);
    }

    [Theory]
    [InlineData(-400)]
    [InlineData(400)]
    public void A_clock_that_is_set_otherwise_runs_nothing_again(int days)
    {
        pipeline.Run(Context() with { Time = new ShiftedTime(TimeSpan.FromDays(days)) });
        foreach (var file in Directory.EnumerateFiles(folder.At("run"), "*", SearchOption.AllDirectories))
        {
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(days));
        }

        pipeline.Run(Context());

        Assert.Equal([1, 1, 1], Counts);
    }

    sealed class ShiftedTime(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + shift;
    }

    [Fact]
    public void A_key_no_stage_depends_on_runs_nothing_again()
    {
        pipeline.Run(Context());
        pipeline.Run(Context("dpo.beta=0.5"));

        Assert.Equal([1, 1, 1], Counts);
    }

    [Fact]
    public void A_changed_data_file_runs_everything_again_and_is_named()
    {
        pipeline.Run(Context());
        folder.Write("data/t/user_others.json", "[ ]");

        Assert.Equal(["data user_others.json changed"], pipeline.GetStatus(Context())[0].Reasons);
        pipeline.Run(Context());
        Assert.Equal([2, 2, 2], Counts);
    }

    [Fact]
    public void Data_of_the_same_content_elsewhere_is_the_same_data()
    {
        pipeline.Run(Context());
        folder.Write("other/t/user_others.json", "[]");

        pipeline.Run(Context("data=other"));

        Assert.Equal([1, 1, 1], Counts);
    }

    [Fact]
    public void An_output_that_is_missing_or_truncated_is_rebuilt()
    {
        pipeline.Run(Context());
        File.WriteAllText(folder.At("run/train sft.out"), "");

        Assert.Equal(["train sft.out is missing or damaged"], pipeline.GetStatus(Context())[1].Reasons);
        pipeline.Run(Context());
        Assert.Equal([1, 2, 1], Counts);
    }

    [Fact]
    public void A_stage_without_its_predecessor_names_the_command_to_run()
    {
        var error = Assert.Throws<RunException>(() => pipeline.RunStage(Context(), StageId.TrainSft));

        Assert.Contains("'train sft' needs 'train tam', which has not run", error.Message, StringComparison.Ordinal);
        Assert.Contains("run 'cope train tam --run ", error.Message, StringComparison.Ordinal);
        Assert.Equal([0, 0, 0], Counts);
    }

    [Fact]
    public void A_stage_whose_predecessor_is_out_of_date_says_why()
    {
        pipeline.Run(Context());

        var error = Assert.Throws<RunException>(() => pipeline.RunStage(Context("tam.epochs=9"), StageId.TrainSft));

        Assert.Contains("is out of date (tam.epochs was 3, is 9)", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, SavedRecipe.Tam.Training.Epochs);
    }

    [Fact]
    public void Where_more_than_one_stage_is_missing_the_whole_run_is_the_command()
    {
        var error = Assert.Throws<RunException>(() => pipeline.RunStage(Context(), StageId.Evaluate));

        Assert.Contains("'evaluate' needs 'train sft', which has not run", error.Message, StringComparison.Ordinal);
        Assert.Contains("run 'cope run --run ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stage_alone_runs_once_or_again_on_request()
    {
        pipeline.RunStage(Context(), StageId.TrainTam);
        pipeline.RunStage(Context(), StageId.TrainTam);
        pipeline.RunStage(Context(), StageId.TrainTam, again: true);

        Assert.Equal([2, 0, 0], Counts);
    }

    [Fact]
    public void An_interrupted_stage_of_a_first_run_resumes_in_place()
    {
        second.BeforeExecute = context =>
        {
            folder.Write("run/checkpoints/train-sft/step-1", "partial");
            throw new OperationCanceledException();
        };
        Assert.Throws<OperationCanceledException>(() => pipeline.Run(Context()));
        Assert.Equal(StageState.Interrupted, pipeline.GetStatus(Context())[1].State);

        var seen = new List<bool>();
        second.BeforeExecute = _ => seen.Add(File.Exists(folder.At("run/checkpoints/train-sft/step-1")));
        pipeline.Run(Context());
        Assert.Equal([true], seen);
        Assert.False(Directory.Exists(folder.At("run/checkpoints/train-sft")));
    }

    [Fact]
    public void A_run_that_fails_at_any_file_operation_ends_the_same_once_it_is_run_again()
    {
        var failing = 0;
        var isWhole = false;
        while (!isWhole)
        {
            failing++;
            AtomicFile.Remove(folder.At("run"));
            var count = 0;
            AtomicFile.BeforeOperation = _ =>
            {
                if (++count == failing)
                {
                    throw new IOException("disk full");
                }
            };
            try
            {
                pipeline.Run(Context());
                isWhole = true;
            }
            catch (IOException)
            {
                AtomicFile.BeforeOperation = null;
                pipeline.Run(Context());
            }

            AtomicFile.BeforeOperation = null;
            Assert.All(pipeline.GetStatus(Context()), status => Assert.Equal(StageState.Complete, status.State));
            Assert.Empty(Directory.GetFiles(folder.At("run"), "*.part", SearchOption.AllDirectories));
            Assert.Equal(3, RunManifest.Read(folder.At("run/manifest.json")).Stages.Count);
        }

        Assert.True(failing > 12);
    }

    [Fact]
    public void What_should_have_followed_a_marker_is_made_up_for_by_the_next_command()
    {
        pipeline.Run(Context());
        var whole = File.ReadAllText(folder.At("run/manifest.json"));
        File.WriteAllText(folder.At("run/manifest.json"), whole[..(whole.Length / 2)]);
        string[] left =
        [
            folder.Write("run/manifest.json.part", "{"),
            folder.Write("run/stages/evaluate.begun.json", "{}"),
            folder.Write("run/checkpoints/train-sft/chunks.jsonl", "texts of a user\n"),
            folder.Write("run/evaluate.out.part", "half"),
        ];
        var kept = folder.Write("run/notes.part", "of a person");

        pipeline.RunStage(Context(), StageId.TrainTam);

        Assert.Equal([1, 1, 1], Counts);
        Assert.Equal(
            [StageId.TrainTam.Name, StageId.TrainSft.Name, StageId.Evaluate.Name],
            RunManifest.Read(folder.At("run/manifest.json")).Stages.Select(stage => stage.Stage)
        );
        Assert.DoesNotContain(left, File.Exists);
        Assert.True(File.Exists(kept));
    }

    [Fact]
    public void A_command_that_has_nothing_to_do_writes_nothing()
    {
        pipeline.Run(Context());
        var operations = new List<string>();
        AtomicFile.BeforeOperation = operations.Add;
        pipeline.Run(Context());
        AtomicFile.BeforeOperation = null;

        Assert.Empty(operations);
    }

    [Fact]
    public void A_cancelled_run_begins_no_stage()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();

        Assert.Throws<OperationCanceledException>(() => pipeline.Run(Context() with { Cancellation = source.Token }));
        Assert.Equal([0, 0, 0], Counts);
    }
}
