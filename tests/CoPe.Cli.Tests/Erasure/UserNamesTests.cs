using System.Text.RegularExpressions;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>Users whose ids look like each other's names, in runs of today and of earlier versions.</summary>
public sealed class UserNamesTests : IDisposable
{
    static readonly string[] Ids = ["Foo", "foo-1cbec737", "%46oo", "1", "1.part", "..", "a/b"];

    /// <summary>
    /// Ids that are paths, devices, options, patterns or escapes, or that some disk takes for one another.
    /// </summary>
    static readonly string[] OddIds =
    [
        ".",
        "..",
        "CON",
        "con",
        new('a', 300),
        "caf\u00e9",
        "cafe\u0301",
        "Case",
        "case",
        "CASE",
        "tail.",
        "tail",
        "%2E%2E",
        "a%2Fb",
        "a/b",
        @"a\b",
        "x~1",
        "-rf",
        "--help",
        "@file",
        "~",
        "$HOME",
    ];

    readonly ToyRuns _toys = new();

    public void Dispose() => _toys.Dispose();

    string ReadAdapter(string run, string user) =>
        File.ReadAllText(Path.Combine(_toys.At(run).SftAdapter(user), "adapter.txt"));

    /// <summary>Gives the folders of a run the names that earlier versions gave them.</summary>
    void MakeFormer(string run, params string[] users)
    {
        var folder = _toys.At(run);
        foreach (var user in users)
        {
            var (today, former) = (RunDirectory.SafeName(user), FormerUserNames.Create(user));
            Directory.Move(folder.SftAdapter(user), Path.Combine(folder.SftAdapters, former));
            var marker = folder.Marker(StageId.TrainSft);
            var text = File.ReadAllText(marker);
            // Where that is another user's folder, the marker has it once.
            var isShared = text.Contains($"\"sft/{former}/", StringComparison.Ordinal);
            var renamed = isShared
                ? Regex.Replace(text, $"^ *\"sft/{today}/.*\n", "", RegexOptions.Multiline)
                : text.Replace($"\"sft/{today}/", $"\"sft/{former}/", StringComparison.Ordinal);
            Assert.NotEqual(text, renamed);
            File.WriteAllText(marker, renamed.Replace("\"user_names\"", "\"_\"", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Each_has_an_adapter_of_their_own_and_is_forgotten_alone()
    {
        _toys.WriteData(Ids);
        _toys.Succeed("run", "my.yaml", "--run", "run");

        Assert.All(Ids, id => Assert.Equal($"weights of {id}", ReadAdapter("run", id)));
        foreach (var (gone, id) in Ids.SkipLast(1).Index())
        {
            _toys.Succeed("user", "forget", "run", id);

            Assert.False(Directory.Exists(_toys.At("run").SftAdapter(id)));
            Assert.All(Ids[(gone + 1)..], other => Assert.Equal($"weights of {other}", ReadAdapter("run", other)));
        }
    }

    [Fact]
    public void Whatever_they_are_called_each_goes_to_the_last_byte_and_the_others_keep_what_they_have()
    {
        _toys.WriteData(OddIds);
        _toys.Succeed("run", "my.yaml", "--run", "run");
        _toys.AssertComplete("run");

        foreach (var (place, id) in OddIds.Index().SkipLast(1))
        {
            _toys.Succeed("user", "forget", "run", "--data", "--", id);

            Assert.Empty(EveryByte.FindTexts(_toys.Folder.Path, [ToyRuns.MarkerOf(place), $"answer to q{place}\""]));
            Assert.False(Directory.Exists(_toys.At("run").SftAdapter(id)), id);
            var others = OddIds[(place + 1)..];
            Assert.All(others, other => Assert.Equal($"weights of {other}", ReadAdapter("run", other)));
            Assert.Equal(
                Enumerable.Range(place + 1, others.Length).Select(other => $"q{other}"),
                PredictionFile.Read(_toys.At("run").Predictions("base")).Predictions.Select(answer => answer.Id)
            );
        }
    }

    [Fact]
    public void A_run_of_an_earlier_version_gets_the_names_of_today_and_stays_complete()
    {
        _toys.WriteData("Foo", "b", "1.part", "Grüße");
        _toys.Succeed("run", "my.yaml", "--run", "run");
        MakeFormer("run", "Foo", "1.part", "Grüße");

        _toys.AssertComplete("run");

        Assert.All(["Foo", "b", "1.part", "Grüße"], id => Assert.Equal($"weights of {id}", ReadAdapter("run", id)));
        Assert.Equal(4, Directory.GetDirectories(_toys.At("run").SftAdapters).Length);
    }

    [Fact]
    public void The_name_of_an_earlier_version_is_not_handed_to_the_user_whose_id_it_is()
    {
        _toys.WriteData("Foo");
        _toys.Succeed("run", "my.yaml", "--run", "run");
        MakeFormer("run", "Foo");
        _toys.WriteData("Foo", "foo-1cbec737");

        _toys.Succeed("run", "--run", "run", "--restart");

        Assert.All(["Foo", "foo-1cbec737"], id => Assert.Equal($"weights of {id}", ReadAdapter("run", id)));
    }

    [Fact]
    public void A_folder_that_two_users_shared_is_nobodys()
    {
        _toys.WriteData("Foo", "foo-1cbec737");
        _toys.Succeed("run", "my.yaml", "--run", "run");
        Directory.Delete(_toys.At("run").SftAdapter("foo-1cbec737"), recursive: true);
        MakeFormer("run", "Foo");

        Assert.Equal(1, _toys.Cope("run", "--run", "run"));
        Assert.Contains("sft/foo-1cbec737", _toys.Error, StringComparison.Ordinal);
        Assert.Contains("delete it", _toys.Error, StringComparison.Ordinal);

        Directory.Delete(Path.Combine(_toys.At("run").SftAdapters, "foo-1cbec737"), recursive: true);
        _toys.Succeed("run", "--run", "run");
        Assert.All(["Foo", "foo-1cbec737"], id => Assert.Equal($"weights of {id}", ReadAdapter("run", id)));
    }

    [Fact]
    public void Whichever_file_operation_fails_while_folders_get_their_names_the_next_command_ends_it()
    {
        _toys.WriteData("Foo", "Bar", "c");
        _toys.Succeed("run", "my.yaml", "--run", "run");
        MakeFormer("run", "Foo", "Bar");
        _toys.Copy("run", "before");
        var failing = 0;
        for (var hasFailed = true; hasFailed;)
        {
            _toys.Copy("before", "run");
            ToyCommands.FailOperation(++failing);
            hasFailed = _toys.Cope("status", "--run", "run") != 0;
            AtomicFile.BeforeOperation = null;

            _toys.AssertComplete("run");
            Assert.All(["Foo", "Bar", "c"], id => Assert.Equal($"weights of {id}", ReadAdapter("run", id)));
        }

        Assert.True(failing > 5);
    }
}
