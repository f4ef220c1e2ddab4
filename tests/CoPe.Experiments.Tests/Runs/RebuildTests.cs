using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

/// <summary>What a rebuild replaces stands aside until its successor is complete.</summary>
public sealed class RebuildTests : ToyPipeline
{
    SortedDictionary<string, string> ReadFiles() =>
        new(
            Directory
                .EnumerateFiles(folder.At("run"), "*", SearchOption.AllDirectories)
                .ToDictionary(file => Path.GetRelativePath(folder.At("run"), file), File.ReadAllText),
            StringComparer.Ordinal
        );

    SortedDictionary<string, string> ReadFilesOfRun()
    {
        var files = ReadFiles();
        foreach (
            var file in files.Keys.Where(file => file.StartsWith(".unfinished", StringComparison.Ordinal)).ToList()
        )
        {
            files.Remove(file);
        }

        return files;
    }

    bool IsUnfinished => Directory.Exists(Context().Run.Unfinished.Root);

    [Fact]
    public void What_a_rebuild_replaces_comes_back_where_it_fails_and_the_same_rebuild_resumes()
    {
        pipeline.Run(Context());
        var before = ReadFiles();
        third.BeforeExecute = _ => throw new InvalidOperationException("no more");

        Assert.Throws<InvalidOperationException>(() => pipeline.Run(Context("sft.epochs=5")));

        Assert.Equal(before, ReadFilesOfRun());
        Assert.False(Directory.Exists(Context().Run.Replaced.Root));
        third.BeforeExecute = null;
        pipeline.Run(Context("sft.epochs=5"));
        Assert.Equal([1, 2, 3], Counts);
        Assert.Equal(5, SavedRecipe.Sft.Training.Epochs);
        Assert.False(IsUnfinished);
    }

    [Fact]
    public void The_run_as_it_was_needs_no_stage_after_a_rebuild_was_stopped()
    {
        pipeline.Run(Context());
        third.BeforeExecute = _ => throw new OperationCanceledException();
        Assert.Throws<OperationCanceledException>(() => pipeline.Run(Context("tam.epochs=9")));

        pipeline.Run(Context());

        Assert.Equal([2, 2, 2], Counts);
        Assert.True(IsUnfinished);
    }

    [Fact]
    public void A_stage_that_was_stopped_in_a_rebuild_resumes_from_its_own_checkpoints()
    {
        pipeline.Run(Context());
        second.BeforeExecute = _ =>
        {
            folder.Write("run/checkpoints/train-sft/step-1", "partial");
            throw new OperationCanceledException();
        };
        Assert.Throws<OperationCanceledException>(() => pipeline.Run(Context("sft.epochs=5")));
        Assert.False(Directory.Exists(folder.At("run/checkpoints/train-sft")));

        var seen = new List<bool>();
        second.BeforeExecute = _ => seen.Add(File.Exists(folder.At("run/checkpoints/train-sft/step-1")));
        pipeline.Run(Context("sft.epochs=5"));

        Assert.Equal([true], seen);
    }

    [Fact]
    public void What_is_unfinished_of_other_inputs_is_not_resumed()
    {
        pipeline.Run(Context());
        second.BeforeExecute = _ =>
        {
            folder.Write("run/checkpoints/train-sft/step-1", "partial");
            throw new OperationCanceledException();
        };
        Assert.Throws<OperationCanceledException>(() => pipeline.Run(Context("sft.epochs=5")));

        var seen = new List<bool>();
        second.BeforeExecute = _ => seen.Add(File.Exists(folder.At("run/checkpoints/train-sft/step-1")));
        pipeline.Run(Context("sft.epochs=6"));

        Assert.Equal([false], seen);
        Assert.False(IsUnfinished);
    }

    [Fact]
    public void A_stage_done_again_comes_back_where_that_is_stopped()
    {
        pipeline.Run(Context());
        var before = ReadFiles();
        second.BeforeExecute = _ => throw new OperationCanceledException();

        Assert.Throws<OperationCanceledException>(() => pipeline.RunStage(Context(), StageId.TrainSft, again: true));

        Assert.Equal(before, ReadFilesOfRun());
    }

    [Fact]
    public void What_a_stage_refuses_to_read_leaves_the_run_untouched()
    {
        pipeline.Run(Context());
        var before = ReadFiles();
        second.Problem = "no such layer";

        var error = Assert.Throws<RunException>(() => pipeline.Run(Context("tam.epochs=9", "sft.epochs=9")));
        Assert.Equal("no such layer", error.Message);
        Assert.Throws<RunException>(() => pipeline.RunStage(Context("sft.epochs=9"), StageId.TrainSft));

        Assert.Equal(before, ReadFiles());
        Assert.Equal([1, 1, 1], Counts);
    }

    [Fact]
    public void A_stage_that_is_complete_is_not_asked()
    {
        pipeline.Run(Context());
        first.Problem = "gone";

        pipeline.Run(Context("sft.epochs=9"));

        Assert.Equal([1, 2, 2], Counts);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Whichever_file_operation_of_a_rebuild_fails_the_run_is_whole_and_the_rebuild_resumes(bool isKilled)
    {
        pipeline.Run(Context());
        var old = ReadFiles();
        var failing = 0;
        var isComplete = false;
        while (!isComplete)
        {
            failing++;
            isComplete = TryRebuild(failing, isKilled);
            var counts = Counts;

            // The next command finds the run as it was, or where the last step failed, rebuilt.
            RunReplacement.RollBack(Context().Run);
            var isOld = SavedRecipe.Sft.Training.Epochs == 2;
            if (isOld)
            {
                Assert.Equal(old, ReadFilesOfRun());
            }

            pipeline.Run(isOld ? Context() : Context("sft.epochs=5"));
            Assert.Equal(counts, Counts);

            pipeline.Run(Context("sft.epochs=5"));
            Assert.All(
                pipeline.GetStatus(Context("sft.epochs=5")),
                status => Assert.Equal(StageState.Complete, status.State)
            );
            Assert.Equal(old.Keys, ReadFiles().Keys.Where(IsNoStartedMarker));
            RestoreOldRun();
        }

        Assert.True(failing > 30, $"{failing} operations");

        void RestoreOldRun()
        {
            Directory.Delete(folder.At("run"), recursive: true);
            foreach (var (file, content) in old)
            {
                folder.Write(Path.Combine("run", file), content);
            }
        }
    }

    /// <summary>One that is left beside the marker of the complete stage says nothing.</summary>
    static bool IsNoStartedMarker(string file) => !file.EndsWith(".begun.json", StringComparison.Ordinal);

    bool TryRebuild(int failing, bool isKilled)
    {
        var count = 0;
        AtomicFile.BeforeOperation = operation =>
        {
            count++;
            if (count == failing || (isKilled && count > failing))
            {
                throw new IOException("cannot " + operation);
            }
        };
        try
        {
            pipeline.Run(Context("sft.epochs=5"));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
        finally
        {
            AtomicFile.BeforeOperation = null;
        }
    }

    [Fact]
    public void Bringing_back_can_fail_at_any_operation_and_is_repeated()
    {
        pipeline.Run(Context());
        var old = ReadFiles();
        for (var failing = 1; failing < 20; failing++)
        {
            AtomicFile.Remove(Context().Run.Unfinished.Root);
            Assert.False(TryRebuild(30, isKilled: true));
            var left = failing;
            AtomicFile.BeforeOperation = operation =>
            {
                if (--left <= 0)
                {
                    throw new IOException("cannot " + operation);
                }
            };
            try
            {
                RunReplacement.RollBack(Context().Run);
            }
            catch (IOException)
            {
                // repeated below
            }

            AtomicFile.BeforeOperation = null;
            RunReplacement.RollBack(Context().Run);
            Assert.Equal(old, ReadFilesOfRun());
        }
    }

    [Fact]
    public void A_damaged_journal_is_named_and_nothing_is_moved()
    {
        pipeline.Run(Context());
        var journal = folder.Write("run/.replaced/journal.json", """{"entries": [{"path": "../elsewhere"}]}""");

        var error = Assert.Throws<RunException>(() => pipeline.Run(Context()));

        Assert.StartsWith(journal + " is damaged", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_line_names_what_changed_and_what_that_costs()
    {
        pipeline.Run(Context());
        foreach (var stage in (StageId[])[StageId.TrainTam, StageId.TrainSft])
        {
            var marker = Context().Run.Marker(stage);
            (StageMarker.Read(marker)! with { Seconds = 240 }).Write(marker);
        }

        folder.Write("other/config.json", """{"a": 1}""");
        var log = new RecordingLogger();

        pipeline.Run(Context("model=other", "sft.epochs=7") with { Log = log });

        Assert.Equal(
            ["model was model, is other; sft.epochs was 2, is 7: 3 stages are rebuilt, 8 minutes of work"],
            log.Warnings
        );
    }
}
