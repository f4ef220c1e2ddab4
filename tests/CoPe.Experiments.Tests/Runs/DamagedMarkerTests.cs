using CoPe.Experiments.Runs;
using CoPe.Testing;
using static System.StringComparison;

namespace CoPe.Experiments.Tests.Runs;

/// <summary>
/// A stage whose marker is there and cannot be read is neither complete nor one that has not run: it is made again with
/// a line that says why, and what took long, or nobody knows how long, only on request.
/// </summary>
public sealed class DamagedMarkerTests : ToyPipeline
{
    const string Twice = """
        {"stage": "train sft", "stage": "train sft", "inputs": {}, "hash": "ab", "outputs": {},
         "started": "2026-01-01T00:00:00+00:00", "seconds": 1}
        """;

    string Marker => Context().Run.Marker(StageId.TrainSft);

    static void Damage(string path, string content)
    {
        AtomicFile.Remove(path);
        if (content == "folder")
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            File.WriteAllText(path, content);
        }
    }

    /// <summary>Has the marker and the manifest say how long the stage took.</summary>
    void SetDuration(int minutes)
    {
        (StageMarker.Read(Marker)! with { Seconds = 60 * minutes }).Write(Marker);
        File.Delete(Context().Run.Manifest);
        pipeline.Run(Context());
    }

    [Theory]
    [InlineData("{\"sta", "line 1")]
    [InlineData("", "line 1")]
    [InlineData(Twice, "line 1")]
    [InlineData("folder", "it is no file")]
    public void Short_work_is_made_again_with_a_line_that_says_why(string content, string problem)
    {
        pipeline.Run(Context());
        Damage(Marker, content);
        var log = new RecordingLogger();

        var status = pipeline.GetStatus(Context())[1];
        pipeline.Run(Context() with { Log = log });

        Assert.Equal((StageState.Stale, false), (status.State, status.IsTimeUnknown));
        Assert.StartsWith($"stages/train-sft.json is damaged ({problem}", Assert.Single(status.Reasons), Ordinal);
        Assert.Equal([status.Reasons[0] + ": 1 stage is rebuilt"], log.Warnings);
        Assert.Equal([1, 2, 1], Counts);
        Assert.All(pipeline.GetStatus(Context()), one => Assert.Equal(StageState.Complete, one.State));
    }

    [Fact]
    public void Long_work_is_made_again_only_on_request()
    {
        pipeline.Run(Context());
        SetDuration(minutes: 10);
        Damage(Marker, "{\"sta");

        var error = Assert.Throws<RunException>(() => pipeline.Run(Context()));

        Assert.StartsWith("stages/train-sft.json is damaged (", error.Message, Ordinal);
        Assert.Contains(": 1 stage of ", error.Message, Ordinal);
        Assert.Contains(" would be rebuilt, 10 minutes of work: ", error.Message, Ordinal);
        Assert.Throws<RunException>(() => pipeline.RunStage(Context(), StageId.TrainSft));
        Assert.Equal([1, 1, 1], Counts);
        Assert.Equal("{\"sta", File.ReadAllText(Marker));

        pipeline.Run(Context() with { AllowCostlyRebuild = true });
        Assert.Equal([1, 2, 1], Counts);
    }

    [Fact]
    public void Work_of_which_nothing_says_how_long_it_took_is_made_again_only_on_request()
    {
        pipeline.Run(Context());
        Damage(Marker, "{\"sta");
        File.Delete(Context().Run.Manifest);

        var error = Assert.Throws<RunException>(() => pipeline.Run(Context()));

        Assert.Contains(" would be rebuilt, an unknown amount of work: ", error.Message, Ordinal);
        Assert.Equal([1, 1, 1], Counts);

        pipeline.RunStage(Context(), StageId.TrainSft, again: true);
        Assert.Equal([1, 2, 1], Counts);
    }

    [Fact]
    public void Where_nothing_is_left_of_what_the_stage_made_it_is_made_again_unasked()
    {
        pipeline.Run(Context());
        Damage(Marker, "{\"sta");
        File.Delete(Context().Run.Manifest);
        File.Delete(folder.At("run/train sft.out"));

        pipeline.Run(Context());

        Assert.Equal([1, 2, 1], Counts);
    }

    [Fact]
    public void What_was_begun_is_thrown_away_only_on_request()
    {
        second.BeforeExecute = _ => throw new OperationCanceledException();
        Assert.Throws<OperationCanceledException>(() => pipeline.Run(Context()));
        second.BeforeExecute = null;
        var checkpoint = folder.Write("run/checkpoints/train-sft/step-1", "partial");
        Damage(Context().Run.StartedMarker(StageId.TrainSft), "{\"sta");

        var error = Assert.Throws<RunException>(() => pipeline.Run(Context()));

        Assert.StartsWith("stages/train-sft.begun.json is damaged (", error.Message, Ordinal);
        Assert.True(File.Exists(checkpoint));
    }

    [Fact]
    public void What_an_interrupted_rebuild_had_made_is_thrown_away_only_on_request()
    {
        pipeline.Run(Context());
        third.BeforeExecute = _ => throw new OperationCanceledException();
        Assert.Throws<OperationCanceledException>(() => pipeline.Run(Context("sft.epochs=5")));
        third.BeforeExecute = null;
        var unfinished = Context().Run.Unfinished.Marker(StageId.TrainSft);
        Assert.NotNull(StageMarker.Read(unfinished));
        Damage(unfinished, "{\"sta");

        var error = Assert.Throws<RunException>(() => pipeline.Run(Context("sft.epochs=5")));

        Assert.Contains(".unfinished/stages/train-sft.json is damaged (", error.Message, Ordinal);
        Assert.Equal("{\"sta", File.ReadAllText(unfinished));
        Assert.Equal(2, second.Executions);

        pipeline.Run(Context("sft.epochs=5") with { AllowCostlyRebuild = true });
        Assert.Equal(3, second.Executions);
    }
}
