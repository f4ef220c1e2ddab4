using CoPe.Cli.Tests.Erasure;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>Inputs that change while a run is at work: markers vouch for what was read.</summary>
public sealed class ChangedInputTests : IDisposable
{
    readonly ToyRuns _toys = new();

    public ChangedInputTests() => _toys.WriteData("ada", "bob");

    public void Dispose() => _toys.Dispose();

    [Theory]
    [InlineData("data")]
    [InlineData("others")]
    [InlineData("added")]
    public void Stages_after_the_change_are_made_of_what_was_read_and_the_next_run_makes_them_again(string changed)
    {
        var others = Path.Combine(Path.GetDirectoryName(_toys.UsersFile)!, "user_others.json");
        var file = changed == "others" ? others : _toys.UsersFile;
        _toys.DuringTraining = () =>
        {
            var text = File.ReadAllText(file).Replace("An article", "Another article", StringComparison.Ordinal);
            if (changed == "added")
            {
                text = text.Replace("\"ada\"", "\"eve\"", StringComparison.Ordinal);
                text = text.Replace("\"q", "\"p", StringComparison.Ordinal)
                    .Replace("\"puery", "\"query", StringComparison.Ordinal);
            }

            _toys.Folder.Write(
                changed == "added" ? "run/users/eve.json" : Path.GetRelativePath(_toys.Folder.Path, file),
                text
            );
        };

        _toys.Succeed("run", "my.yaml", "--run", "run");

        _toys.DuringTraining = null;
        Assert.False(File.Exists(_toys.At("run").StartedMarker(StageId.TrainSft)));
        _toys.Succeed("status", "--run", "run");
        Assert.Contains("out of date", _toys.Output, StringComparison.Ordinal);
        _toys.Succeed("run", "--run", "run");
        _toys.AssertComplete("run");
        Assert.Equal(changed == "added", Directory.Exists(_toys.At("run").SftAdapter("eve")));
    }
}
