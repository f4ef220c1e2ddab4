using CoPe.Experiments.Runs;
using static System.StringComparison;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>Where a marker cannot be read, nobody is erased or added, and nothing of anybody's is lost.</summary>
public sealed class DamagedMarkerTests : IDisposable
{
    readonly ToyRuns _toys = new();

    public DamagedMarkerTests()
    {
        _toys.WriteData("ada", "bob", "cyd");
        _toys.Succeed("run", "my.yaml", "--run", "run");
    }

    public void Dispose() => _toys.Dispose();

    RunDirectory Run => _toys.At("run");

    /// <summary>Damages a marker; returns it.</summary>
    string Damage(string marker, string kind)
    {
        var path = _toys.Folder.At("run/stages/" + marker);
        var text = File.Exists(path) ? File.ReadAllText(path) : "{";
        File.Delete(path);
        switch (kind)
        {
            case "folder":
                Directory.CreateDirectory(path);
                break;
            case "dangling link":
                File.CreateSymbolicLink(path, "nowhere");
                break;
            case "keys twice":
                File.WriteAllText(path, "{\"stage\": \"x\"," + text[1..]);
                break;
            default:
                File.WriteAllText(path, text[..(text.Length / 2)]);
                break;
        }

        return path;
    }

    SortedDictionary<string, string> ReadAll()
    {
        var files = Directory
            .EnumerateFiles(_toys.Folder.Path, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != ".lock" && new FileInfo(file).LinkTarget is null);
        return new(files.ToDictionary(file => file, File.ReadAllText), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("train-sft.json", "truncated")]
    [InlineData("train-sft.json", "keys twice")]
    [InlineData("train-sft.json", "folder")]
    [InlineData("train-sft.json", "dangling link")]
    [InlineData("predict-base.json", "truncated")]
    [InlineData("evaluate.json", "folder")]
    [InlineData("train-tam-all.begun.json", "truncated")]
    public void Forgetting_names_it_and_changes_nothing(string marker, string kind)
    {
        if (kind == "dangling link" && !OperatingSystem.IsLinux())
        {
            return;
        }

        var path = Damage(marker, kind);
        var before = ReadAll();

        Assert.Equal(1, _toys.Cope("user", "forget", "run", "ada", "--data"));

        Assert.Contains($"{path} is damaged (", _toys.Error, Ordinal);
        Assert.Contains("restore it from a copy, or make ", _toys.Error, Ordinal);
        Assert.Equal(before, ReadAll());
    }

    [Fact]
    public void After_the_stage_is_made_again_the_user_goes_and_the_others_stay()
    {
        Damage("train-sft.json", "truncated");
        Assert.Equal(1, _toys.Cope("user", "forget", "run", "ada"));

        _toys.Succeed("run", "--run", "run");
        Assert.Contains("stages/train-sft.json is damaged (", _toys.Error, Ordinal);
        Assert.Contains(": 1 stage is rebuilt", _toys.Error, Ordinal);
        _toys.Succeed("user", "forget", "run", "ada");

        Assert.False(Directory.Exists(Run.SftAdapter("ada")));
        Assert.All(["bob", "cyd"], user => Assert.True(Directory.Exists(Run.SftAdapter(user))));
    }

    [Fact]
    public void An_erasure_that_was_interrupted_is_not_continued_over_it()
    {
        for (var failing = 1; !File.Exists(Run.PendingErasure); failing++)
        {
            ToyCommands.FailOperation(failing);
            Assert.Equal(1, _toys.Cope("user", "forget", "run", "ada"));
            AtomicFile.BeforeOperation = null;
        }

        Damage("train-sft.json", "truncated");
        var before = ReadAll();

        Assert.Equal(1, _toys.Cope("user", "forget", "run", "ada"));

        Assert.Contains("restore it from a copy, or delete it", _toys.Error, Ordinal);
        Assert.Equal(before, ReadAll());
        Assert.All(["bob", "cyd"], user => Assert.True(Directory.Exists(Run.SftAdapter(user))));
    }

    [Fact]
    public void Nobody_is_added_or_updated_and_the_status_names_it()
    {
        Damage("train-sft.json", "keys twice");
        var history = _toys.Folder.Write("new.jsonl", """{"text": "An article", "title": "A headline"}""" + "\n");
        var before = ReadAll();

        Assert.Equal(1, _toys.Cope("user", "add", "run", "--history", history, "--name", "dan"));
        Assert.Contains("'train sft' is out of date in run (stages/train-sft.json is damaged (", _toys.Error, Ordinal);
        Assert.Equal(1, _toys.Cope("user", "update", "run", "--history", history, "--name", "ada"));
        Assert.Contains("'train sft' is out of date in run (stages/train-sft.json is damaged (", _toys.Error, Ordinal);
        _toys.Succeed("status", "--run", "run");
        Assert.Contains("train sft          out of date: stages/train-sft.json is damaged (", _toys.Output, Ordinal);

        Assert.Equal(before, ReadAll());
    }

    [Fact]
    public void Folders_of_users_do_not_count_as_named_by_an_earlier_version()
    {
        _toys.WriteData("Foo", "foo-1cbec737");
        _toys.Succeed("run", "my.yaml", "--run", "other");
        File.WriteAllText(_toys.At("other").Marker(StageId.TrainSft), "{");

        _toys.Succeed("run", "--run", "other");

        Assert.Contains("stages/train-sft.json is damaged (", _toys.Error, Ordinal);
        Assert.All(
            ["Foo", "foo-1cbec737"],
            user =>
                Assert.Equal(
                    $"weights of {user}",
                    File.ReadAllText(Path.Combine(_toys.At("other").SftAdapter(user), "adapter.txt"))
                )
        );
    }
}
