using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

public class RunDirectoryTests
{
    [Theory]
    [InlineData("u001")]
    [InlineData("110000123")]
    [InlineData("a-b_c.d")]
    public void A_plain_identifier_is_its_own_folder(string user) => Assert.Equal(user, RunDirectory.SafeName(user));

    [Theory]
    [InlineData("../../etc")]
    [InlineData("Ana María")]
    [InlineData("ANA")] // Would be the folder of ana where case does not count.
    [InlineData("con")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("名前")]
    [InlineData("x\0y")]
    [InlineData("a.")]
    public void Any_other_identifier_is_made_a_name_of_its_own(string user)
    {
        var name = RunDirectory.SafeName(user);

        Assert.Matches("^[a-z0-9][a-z0-9._-]*-?[0-9a-f]{8}$", name);
        Assert.Equal(name, RunDirectory.SafeName(user));
    }

    [Fact]
    public void Different_identifiers_have_different_folders()
    {
        string[] users = ["ana", "ANA", "Ana", "a/na", "a\\na", new('x', 200), new('x', 201), "é", "è"];

        Assert.Equal(
            users.Length,
            users.Select(RunDirectory.SafeName).Distinct(StringComparer.OrdinalIgnoreCase).Count()
        );
    }

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
