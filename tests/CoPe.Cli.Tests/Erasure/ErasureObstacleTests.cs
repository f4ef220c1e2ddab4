using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using CoPe.Experiments.Runs;
using static System.StringComparison;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>What else lies in a run's folder, and files that are read more strictly elsewhere.</summary>
public sealed class ErasureObstacleTests : IDisposable
{
    readonly ToyRuns _toys = new();

    public ErasureObstacleTests()
    {
        _toys.WriteData("ada", "bob", "cyd");
        _toys.Succeed("run", "my.yaml", "--run", "run");
    }

    public void Dispose() => _toys.Dispose();

    RunDirectory Run => _toys.At("run");

    static void Start(string program, params string[] args)
    {
        using var process = Process.Start(program, args);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    void AssertErased(string user)
    {
        Assert.False(Directory.Exists(Run.SftAdapter(user)));
        Assert.False(File.Exists(Run.PendingErasure));
        Assert.DoesNotContain(
            Directory.EnumerateFiles(Run.Root, "*.json*", SearchOption.AllDirectories),
            file => File.ReadAllText(file).Contains($"\"{user}\"", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Pipes_and_links_are_neither_opened_nor_followed_and_are_named()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        Start("mkfifo", _toys.Folder.At("run/sft/pipe"));
        Directory.CreateSymbolicLink(_toys.Folder.At("run/predictions/loop"), _toys.Folder.At("run/predictions"));
        File.CreateSymbolicLink(_toys.Folder.At("run/itself"), _toys.Folder.At("run/itself"));
        File.CreateSymbolicLink(_toys.Folder.At("run/dangling"), _toys.Folder.At("nowhere"));
        _toys.Folder.Write("outside/notes.part", "theirs");
        Directory.CreateSymbolicLink(_toys.Folder.At("run/outside"), _toys.Folder.At("outside"));
        _toys.Folder.Write("run/notes.part", "theirs");

        _toys.Succeed("user", "forget", "run", "ada");

        AssertErased("ada");
        Assert.Contains("erased from run; not looked into:", _toys.Output, StringComparison.Ordinal);
        Assert.All(
            (string[])["run/sft/pipe (", "run/predictions/loop (", "run/itself (", "run/dangling (", "run/outside ("],
            name => Assert.Contains(name, _toys.Output, StringComparison.Ordinal)
        );
        Assert.True(
            File.Exists(_toys.Folder.At("outside/notes.part")) && File.Exists(_toys.Folder.At("run/notes.part"))
        );
    }

    [Fact]
    public void An_adapters_folder_that_is_a_link_loses_the_link_and_what_a_second_name_keeps_is_said()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        Directory.Move(Run.SftAdapter("ada"), _toys.Folder.At("elsewhere"));
        Directory.CreateSymbolicLink(Run.SftAdapter("ada"), _toys.Folder.At("elsewhere"));
        Start("ln", Run.Predictions("base"), _toys.Folder.At("kept.json"));

        _toys.Succeed("user", "forget", "run", "ada");

        AssertErased("ada");
        Assert.True(File.Exists(_toys.Folder.At("elsewhere/adapter.txt")));
        Assert.Contains("run/sft/ada (a link)", _toys.Output, StringComparison.Ordinal);
        Assert.Contains("predictions/base.json under their other names", _toys.Output, StringComparison.Ordinal);
        Assert.Contains("\"q0\"", File.ReadAllText(_toys.Folder.At("kept.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Temporary_files_of_commands_that_were_killed_go_and_those_of_others_stay()
    {
        string[] own =
        [
            "sft/ada.part/adapter.txt",
            "results.json.part",
            "manifest.json.part",
            "predictions/base.json.part",
            "stages/train-sft.json.part",
            "metrics/predict-base.jsonl.part",
        ];
        string[] others = ["thesis.part", "notes/ada.part", "sft/ada.txt.part"];
        foreach (var file in own.Concat(others))
        {
            _toys.Folder.Write("run/" + file, "something");
        }

        _toys.Succeed("user", "forget", "run", "bob");

        AssertErased("bob");
        Assert.All(own, file => Assert.False(File.Exists(_toys.Folder.At("run/" + file)), file));
        Assert.All(others, file => Assert.True(File.Exists(_toys.Folder.At("run/" + file)), file));
    }

    [Fact]
    public void What_a_killed_import_has_left_is_named_and_goes_with_a_user_of_the_data()
    {
        var left = _toys.Folder.Write("my-data/news_headline/.unchecked/users.json", "texts of everybody");
        _toys.Succeed("run", "my.yaml", "--run", "other");
        Assert.Contains(".unchecked holds texts", _toys.Error, StringComparison.Ordinal);

        _toys.Succeed("user", "forget", "run", "ada");
        Assert.True(File.Exists(left));
        _toys.Succeed("user", "forget", "run", "bob", "--data");
        Assert.False(File.Exists(left));
    }

    [Theory]
    [InlineData("text")]
    [InlineData("utf16")]
    [InlineData("json")]
    [InlineData("zip")]
    [InlineData("gzip")]
    public void A_file_of_others_that_holds_a_text_is_named_before_the_data_forget_the_user(string kind)
    {
        var text = $"\"quoted\" An article, {ToyRuns.MarkerOf(0)}";
        var path = _toys.Folder.Write("run/notes/mine.bin", text);
        switch (kind)
        {
            case "utf16":
                File.WriteAllText(path, new string('x', 3_000_001) + text, Encoding.Unicode);
                break;
            case "json":
                File.WriteAllText(path, System.Text.Json.JsonSerializer.Serialize(new { text }));
                break;
            case "zip":
                File.Delete(path);
                using (var zip = ZipFile.Open(path, ZipArchiveMode.Create))
                using (var entry = new StreamWriter(zip.CreateEntry("a").Open()))
                {
                    entry.Write(text);
                }
                break;
            case "gzip":
                using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Optimal))
                {
                    gzip.Write(Encoding.UTF8.GetBytes(text));
                }
                break;
            default:
                break;
        }

        Assert.Equal(1, _toys.Cope("user", "forget", "run", "ada", "--data"));
        Assert.Contains("mine.bin still holds a text of user ada", _toys.Error, StringComparison.Ordinal);
        Assert.Equal(1, _toys.Cope("user", "forget", "run", "ada", "--data"));
        Assert.Contains("mine.bin still holds a text of user ada", _toys.Error, StringComparison.Ordinal);

        File.Delete(path);
        _toys.Succeed("user", "forget", "run", "ada", "--data");
        AssertErased("ada");
        Assert.EndsWith("erased\n", _toys.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(ToyRuns.MarkerOf(0), File.ReadAllText(_toys.UsersFile), StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_another_user_has_as_well_stays_theirs()
    {
        var shared = File.ReadAllText(_toys.UsersFile)
            .Replace(
                $"A headline, {ToyRuns.MarkerOf(1)}",
                $"A headline, {ToyRuns.MarkerOf(0)}",
                StringComparison.Ordinal
            );
        File.WriteAllText(_toys.UsersFile, shared);
        _toys.Succeed("run", "--run", "run");
        _toys.Folder.Write("run/notes.txt", $"A headline, {ToyRuns.MarkerOf(0)}");

        _toys.Succeed("user", "forget", "run", "ada", "--data");

        AssertErased("ada");
    }

    [Fact]
    public void Labels_at_any_depth_and_predictions_with_keys_twice_hinder_nothing()
    {
        var deep = new string('[', 500) + new string(']', 500);
        var labels = File.ReadAllText(_toys.LabelsFile)
            .Replace("\"id\": \"q0\"", $"\"more\": {deep}, \"id\": \"q0\"", StringComparison.Ordinal);
        File.WriteAllText(_toys.LabelsFile, labels);
        _toys.Succeed("run", "--run", "run");
        foreach (var method in (string[])["base", "tam-all"])
        {
            var answers = File.ReadAllText(Run.Predictions(method))
                .Replace("\"id\": \"q0\"", $"\"id\": \"x\", \"deep\": {deep}, \"id\": \"q0\"", StringComparison.Ordinal)
                .Replace("\"task\"", "\"task\": \"a\", \"task\"", StringComparison.Ordinal);
            File.WriteAllText(Run.Predictions(method), answers);
        }

        _toys.Succeed("user", "forget", "run", "ada", "--data");

        AssertErased("ada");
        Assert.False(File.Exists(Run.Predictions("base")), "it was edited, so that the stage is not complete");
        Assert.DoesNotContain("q0", File.ReadAllText(_toys.LabelsFile), StringComparison.Ordinal);
        Assert.DoesNotContain(ToyRuns.MarkerOf(0), File.ReadAllText(_toys.UsersFile), StringComparison.Ordinal);
    }

    [Fact]
    public void Predictions_that_are_damaged_are_refused_before_anything_changes()
    {
        File.WriteAllText(Run.Predictions("base"), """{"golds": [{"id": "q0", """);

        Assert.Equal(1, _toys.Cope("user", "forget", "run", "ada"));

        Assert.Contains("base.json", _toys.Error, StringComparison.Ordinal);
        Assert.True(Directory.Exists(Run.SftAdapter("ada")));
        Assert.False(File.Exists(Run.PendingErasure) || File.Exists(Run.ForgottenUsers));
    }

    [Fact]
    public void Whichever_file_operation_fails_the_adapter_of_everyone_and_its_answers_are_gone_after_the_next()
    {
        _toys.Copy("run", "before/run");
        _toys.Copy("my-data", "before/my-data");
        for (var (failing, hasFailed) = (1, true); hasFailed; failing++)
        {
            _toys.Copy("before/run", "run");
            _toys.Copy("before/my-data", "my-data");
            ToyCommands.FailOperation(failing);
            hasFailed = _toys.Cope("user", "forget", "run", "ada", "--data") != 0;
            AtomicFile.BeforeOperation = null;
            var isErased = !hasFailed || _toys.Cope("user", "forget", "run", "ada", "--data") == 0;

            // Where only the last look failed, nothing is left to erase.
            Assert.True(isErased || _toys.Error.Contains("has no user", Ordinal), $"{failing}: {_toys.Error}");
            AssertErased("ada");
            Assert.False(Directory.Exists(Run.TamAllAdapter), $"after operation {failing}");
            Assert.False(File.Exists(Run.Predictions("tam-all")), $"after operation {failing}");
            Assert.DoesNotContain(ToyRuns.MarkerOf(0), File.ReadAllText(_toys.UsersFile), Ordinal);
        }
    }
}
