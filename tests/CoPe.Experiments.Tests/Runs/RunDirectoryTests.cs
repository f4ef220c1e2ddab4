using CoPe.Experiments.Runs;

namespace CoPe.Experiments.Tests.Runs;

public class RunDirectoryTests
{
    [Theory]
    [InlineData("u001")]
    [InlineData("110000123")]
    [InlineData("a-b_c.d")]
    public void A_plain_identifier_is_its_own_folder(string user) => Assert.Equal(user, RunDirectory.SafeName(user));

    [Fact]
    public void Every_path_lies_within_the_run()
    {
        var run = new RunDirectory("runs/x");

        string[] paths =
        [
            run.Recipe,
            run.Manifest,
            run.TamAdapter,
            run.SftAdapter("../u"),
            run.DpoAdapter(".."),
            run.Candidates,
            run.Predictions("sft+cd"),
            run.Metrics(StageId.TrainTam),
            run.Results,
            run.Report,
        ];
        Assert.All(
            paths,
            path =>
                Assert.StartsWith(
                    run.Root + Path.DirectorySeparatorChar,
                    Path.GetFullPath(path),
                    StringComparison.Ordinal
                )
        );
        Assert.EndsWith("metrics/train-tam.jsonl", run.Metrics(StageId.TrainTam), StringComparison.Ordinal);
    }
}
