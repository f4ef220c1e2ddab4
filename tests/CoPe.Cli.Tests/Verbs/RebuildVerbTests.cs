
namespace CoPe.Cli.Tests.Verbs;

/// <summary>Finished runs whose rebuild is stopped, fails or is killed.</summary>
[Collection("torch")]
public sealed class RebuildVerbTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>, IDisposable
{
    static readonly string[] Change = ["--set", "sft.epochs=3", "--set", "decode.max_new_tokens=6"];

    public void Dispose() => AtomicFile.BeforeOperation = null;

    int Rebuild(string run, CancellationToken cancellation = default) =>
        world.RunCommand(cancellation, ["run", "recipe.yaml", "--run", run, .. Change]);

    void Finish(string run) => Assert.True(world.RunAll(run) == 0, world.Error);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_rebuild_disturbed_again_and_again_ends_with_the_bytes_of_a_new_run(bool isKilled)
    {
        var run = isKilled ? "killed-rebuild" : "failed-rebuild";
        Finish(run);
        if (!Directory.Exists(world.PathOf("rebuilt")))
        {
            Assert.True(Rebuild("rebuilt") == 0, world.Error);
        }

        var attempts = 0;
        for (var ended = 1; ended != 0; attempts++)
        {
            var left = 12 * (attempts + 1);
            AtomicFile.BeforeOperation = operation =>
            {
                if (--left == 0 || (isKilled && left < 0))
                {
                    throw new IOException("cannot " + operation);
                }
            };
            ended = Rebuild(run);
            AtomicFile.BeforeOperation = null;
            if (ended != 0)
            {
                Assert.Contains("cannot ", world.Error, StringComparison.Ordinal);
                // Whatever reads the run next finds it as it was.
                Assert.True(world.RunCommand(default, "status", "--run", run) == 0, world.Error);
                Assert.DoesNotContain("out of date", world.Output, StringComparison.Ordinal);
                Assert.DoesNotContain("not run", world.Output, StringComparison.Ordinal);
                Assert.Equal(world.HashArtifacts("undisturbed"), WithoutUnfinished(run));
            }
        }

        Assert.True(attempts > 5, $"disturbed {attempts - 1} times");
        Assert.Equal(world.HashArtifacts("rebuilt"), world.HashArtifacts(run));
        Assert.False(Directory.Exists(world.RunAt(run).Replaced.Root));
        Assert.False(Directory.Exists(world.RunAt(run).Unfinished.Root));
    }

    [Fact]
    public void A_stopped_rebuild_is_named_with_the_command_that_continues_it_and_leaves_with_a_user()
    {
        Finish("stopped-rebuild");
        var run = world.RunAt("stopped-rebuild");
        using var source = new CancellationTokenSource();
        AtomicFile.BeforeOperation = operation =>
        {
            var isRename = operation.StartsWith("rename", StringComparison.Ordinal);
            if (isRename && operation.EndsWith("negatives/pairs.jsonl", StringComparison.Ordinal))
            {
                source.Cancel();
            }
        };
        Assert.Equal(130, Rebuild("stopped-rebuild", source.Token));
        AtomicFile.BeforeOperation = null;
        Assert.Contains("stopped-rebuild is as it was before", world.Error, StringComparison.Ordinal);

        Assert.Equal(0, world.RunCommand(default, "status", "--run", "stopped-rebuild"));
        Assert.Contains(
            "'cope run recipe.yaml --run stopped-rebuild --set \"sft.epochs=3\"",
            world.Error,
            StringComparison.Ordinal
        );
        Assert.True(File.Exists(run.Unfinished.Pairs));

        Assert.True(world.RunCommand(default, "user", "forget", "stopped-rebuild", "1") == 0, world.Error);
        Assert.Contains("the beginning of a rebuild", world.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(run.Unfinished.Root));
    }

    [Fact]
    public void What_a_rebuild_is_made_from_is_said_in_one_line()
    {
        Finish("one-line");

        Assert.Equal(0, Rebuild("one-line"));

        var warning = Assert.Single(
            world.Error.Split('\n'),
            line => line.Contains("warning", StringComparison.Ordinal)
        );
        Assert.StartsWith("cope: warning: ", warning, StringComparison.Ordinal);
        Assert.Contains("sft.epochs was 2, is 3", warning, StringComparison.Ordinal);
        Assert.Contains("decode.max_new_tokens was 5, is 6", warning, StringComparison.Ordinal);
        Assert.Contains(" stages are rebuilt", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_text_whose_training_fails_leaves_adapters_and_data_as_they_were()
    {
        string[] line =
        [
            "personalize",
            "--history",
            "notes",
            "--run",
            "noted",
            "--model",
            "model",
            "--set",
            "predict=tam,sft",
            "--set",
            "tam.examples=4",
            "--set",
            "tam.cut_off=400",
            "--set",
            "sft.epochs=1",
            "--set",
            "sft.cut_off=400",
            "--set",
            "decode.max_new_tokens=4",
            "--quiet",
        ];
        for (var day = 1; day <= 6; day++)
        {
            WriteNote(day);
        }

        Assert.True(world.RunCommand(default, line) == 0, world.Error);
        var before = world.HashArtifacts("noted");
        WriteNote(7);
        var failed = "";
        AtomicFile.BeforeOperation = operation =>
        {
            if (operation.StartsWith("rename", StringComparison.Ordinal) && operation.Contains("/noted/sft/"))
            {
                failed = operation;
                throw new IOException("cannot " + operation);
            }
        };
        Assert.Equal(1, world.RunCommand(default, line));
        AtomicFile.BeforeOperation = null;

        Assert.NotEqual("", failed);
        Assert.Equal(before, WithoutUnfinished("noted"));
        Assert.DoesNotContain("number 7", ReadData("noted"), StringComparison.Ordinal);
        Assert.True(world.RunCommand(default, "run", "--run", "noted", "--quiet") == 0, world.Error);
        Assert.Equal(before, WithoutUnfinished("noted"));
        Assert.True(world.RunCommand(default, line) == 0, world.Error);
        Assert.Contains("number 7", ReadData("noted"), StringComparison.Ordinal);
        Assert.NotEqual(before, world.HashArtifacts("noted"));

        void WriteNote(int day)
        {
            var file = world.PathOf($"notes/2024-03-0{day}.md");
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(
                file,
                $"# The mill on day {day}\n\nThe wheel stood still, and number {day} of the sacks is wet."
            );
        }
    }

    string ReadData(string run) =>
        string.Concat(
            Directory
                .EnumerateFiles(world.RunAt(run).Data, "*.json", SearchOption.AllDirectories)
                .Select(File.ReadAllText)
        );

    SortedDictionary<string, string> WithoutUnfinished(string run)
    {
        var artifacts = world.HashArtifacts(run);
        foreach (var file in artifacts.Keys.Where(file => file.StartsWith('.')).ToList())
        {
            artifacts.Remove(file);
        }

        return artifacts;
    }
}
