using CoPe.Experiments.Data;
using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>From which data folder a user is erased, wherever the command runs and wherever the run lies.</summary>
public sealed class ErasureDataFolderTests : IDisposable
{
    const string Task = "news_headline";

    readonly ToyCommands _commands = new(
        new([new ToyStage(StageId.TrainTam, []), ToyStages.CreateAdapters(StageId.TrainTam)])
    );

    public ErasureDataFolderTests()
    {
        _commands.Folder.Write("A/model/config.json", "{}");
        _commands.Folder.Write("A/my.yaml", $"task: {Task}\nmodel: model\ndata: data\npredict: [base]\n");
        WriteData("A/data");
        WriteData("B/data");
    }

    public void Dispose() => _commands.Dispose();

    void WriteData(string folder)
    {
        static string Entry(int number) =>
            $$"""
                {"user_id": "u{{number}}",
                 "profile": [{"id": "h", "text": "Old text", "title": "The headline of u{{number}}"}],
                 "query": [{"id": "{{number}}1", "input": "Generate a headline", "gold": "Gold of u{{number}}"}]}
                """;
        _commands.Folder.Write($"{folder}/{Task}/{LampFiles.OthersFile}", $"[{Entry(9)}]");
        _commands.Folder.Write($"{folder}/{Task}/{LampFiles.UsersFile}", $"[{Entry(1)}, {Entry(2)}]");
    }

    void Succeed(string folder, params string[] args) => _commands.SucceedIn(folder, args);

    bool HoldsUser(string data) =>
        File.ReadAllText(_commands.Folder.At($"{data}/{Task}/{LampFiles.UsersFile}"))
            .Contains("u1", StringComparison.Ordinal);

    /// <summary>A run with data in its own folder, as the demo and a person's own run have them.</summary>
    void RunWithOwnData()
    {
        WriteData("A/run/data");
        Succeed("A", "run", "my.yaml", "--run", "run", "--set", "data=run/data");
    }

    [Fact]
    public void A_user_is_erased_from_the_data_that_the_run_was_made_from_wherever_the_command_runs()
    {
        Succeed("A", "run", "my.yaml", "--run", "run");

        Succeed("B", "user", "forget", "../A/run", "u1", "--data");

        Assert.False(HoldsUser("A/data"));
        Assert.True(HoldsUser("B/data"));
        Assert.False(Directory.Exists(new RunDirectory(_commands.Folder.At("A/run")).SftAdapter("u1")));
    }

    [Fact]
    public void A_run_of_an_earlier_version_does_not_erase_from_another_project_either()
    {
        Succeed("A", "run", "my.yaml", "--run", "run");
        _commands.Folder.Write("A/run/recipe.yaml", $"task: {Task}\nmodel: model\ndata: data\npredict: [base]\n");

        Succeed("B", "user", "forget", "../A/run", "u1", "--data");

        Assert.False(HoldsUser("A/data"));
        Assert.True(HoldsUser("B/data"));
    }

    [Theory]
    [InlineData("moved")]
    [InlineData("absolute")]
    [InlineData("link")]
    public void The_data_in_the_run_are_the_runs_whatever_it_is_called(string kind)
    {
        RunWithOwnData();
        var (named, data) = (_commands.Folder.At("A/run"), "A/run/data");
        if (kind == "moved")
        {
            (named, data) = (_commands.Folder.At("B/elsewhere"), "B/elsewhere/data");
            Directory.Move(_commands.Folder.At("A/run"), named);
        }
        else if (kind == "link")
        {
            named = _commands.Folder.At("B/link");
            Directory.CreateSymbolicLink(named, _commands.Folder.At("A/run"));
        }

        Succeed("B", "user", "forget", named, "u1");

        Assert.EndsWith("erased\n", _commands.Output, StringComparison.Ordinal);
        Assert.False(HoldsUser(data));
        Assert.True(HoldsUser("B/data"));
    }

    [Theory]
    [InlineData("data: run/data")]
    [InlineData("data: ROOT/A/run/data")]
    public void The_data_in_a_run_of_an_earlier_version_move_with_it(string line)
    {
        RunWithOwnData();
        var data = line.Replace("ROOT", _commands.Folder.Path, StringComparison.Ordinal);
        _commands.Folder.Write(
            "A/run/recipe.yaml",
            $"task: {Task}\nmodel: {_commands.Folder.At("A/model")}\n{data}\npredict: [base]\n"
        );
        Directory.Move(_commands.Folder.At("A/run"), _commands.Folder.At("B/run"));

        Succeed("B", "user", "forget", "run", "u1");

        Assert.False(HoldsUser("B/run/data"));
    }

    [Fact]
    public void Data_in_the_run_are_erased_from_even_where_the_run_reads_others_now()
    {
        RunWithOwnData();
        Succeed("A", "run", "--run", "run", "--set", "data=data");

        Succeed("A", "user", "forget", "run", "u1");

        Assert.False(HoldsUser("A/run/data"));
        Assert.True(HoldsUser("A/data"));
        Assert.Contains(_commands.Folder.At($"A/data/{Task}"), _commands.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_that_a_link_in_the_run_leads_to_are_others()
    {
        Directory.CreateDirectory(_commands.Folder.At("A/run"));
        Directory.CreateSymbolicLink(_commands.Folder.At("A/run/data"), _commands.Folder.At("A/data"));
        Succeed("A", "run", "my.yaml", "--run", "run", "--set", "data=run/data");

        Succeed("A", "user", "forget", "run", "u1");

        Assert.True(HoldsUser("A/data"));
        Assert.Contains("--data erases them there too", _commands.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_that_cannot_be_looked_into_are_named_and_nothing_is_called_erased_over_them()
    {
        Succeed("A", "run", "my.yaml", "--run", "run");
        Directory.Move(_commands.Folder.At("A/data"), _commands.Folder.At("A/away"));

        Assert.Equal(1, _commands.CopeIn("A", "user", "forget", "run", "u1", "--data"));
        Assert.Contains(_commands.Folder.At("A/data"), _commands.Error, StringComparison.Ordinal);
        Assert.True(Directory.Exists(new RunDirectory(_commands.Folder.At("A/run")).SftAdapter("u1")));

        Succeed("A", "user", "forget", "run", "u1");
        Assert.DoesNotContain("\nerased\n", "\n" + _commands.Output, StringComparison.Ordinal);
        Assert.Contains("not looked into: the data folder", _commands.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(new RunDirectory(_commands.Folder.At("A/run")).SftAdapter("u1")));
    }
}
