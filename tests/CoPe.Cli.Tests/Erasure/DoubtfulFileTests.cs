using System.Text;
using System.Text.RegularExpressions;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Erasure;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Tasks;
using static System.StringComparison;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>What may be of an erased user and cannot be told for certain is named and left.</summary>
public sealed class DoubtfulFileTests : IDisposable
{
    readonly ToyRuns _toys = new();

    public DoubtfulFileTests()
    {
        _toys.WriteData("ada", "bob", "cyd");
        ReplaceHeadline(0, "Zqad!");
        _toys.Succeed("run", "my.yaml", "--run", "run");
    }

    public void Dispose() => _toys.Dispose();

    void ReplaceHeadline(int user, string headline) =>
        File.WriteAllText(
            _toys.UsersFile,
            File.ReadAllText(_toys.UsersFile).Replace($"A headline, {ToyRuns.MarkerOf(user)}", headline, Ordinal)
        );

    [Theory]
    [InlineData("id,title\n1,Zqad!\n", false)]
    [InlineData("""{"title": "Zqad!"}""", false)]
    [InlineData("""{"text": "A title\nZqad!"}""", false)]
    [InlineData("“Zqad!”", false)]
    [InlineData("The title is Zqad!", true)]
    public void A_short_text_in_a_file_that_no_stage_wrote_is_named_and_left(string content, bool isWide)
    {
        var path = _toys.Folder.Write("run/notes.csv", "");
        File.WriteAllText(path, content, isWide ? Encoding.Unicode : new UTF8Encoding(false));

        _toys.Succeed("user", "forget", "run", "ada", "--data");

        Assert.EndsWith(
            "erased\nmay be theirs and was left, check it: "
                + "run/notes.csv (has \"Zqad!\", which is too short to tell whose it is)\n",
            _toys.Output,
            Ordinal
        );
        Assert.True(File.Exists(path));
        Assert.False(
            Directory.Exists(_toys.At("run").SftAdapter("ada")) || File.Exists(_toys.At("run").PendingErasure)
        );
    }

    [Theory]
    [InlineData("Zqad!")]
    [InlineData("Zqad! ")]
    public void A_short_text_that_another_user_has_as_well_is_theirs(string shared)
    {
        ReplaceHeadline(1, shared);
        _toys.Succeed("run", "--run", "run");
        _toys.Folder.Write("run/notes.csv", "id,title\n1,Zqad!\n");

        _toys.Succeed("user", "forget", "run", "ada", "--data");

        Assert.EndsWith("erased\n", _toys.Output, Ordinal);
    }

    [Fact]
    public void What_stages_wrote_for_others_is_theirs_whatever_words_it_has()
    {
        var answers = _toys.At("run").Predictions("base");
        var marker = _toys.At("run").Marker(StageId.Predict(PredictionMethod.Find("base")));
        File.WriteAllText(answers, File.ReadAllText(answers).Replace("An answer to q1", "Zqad!", Ordinal));
        var size = $"\"predictions/base.json\": {new FileInfo(answers).Length}";
        File.WriteAllText(marker, Regex.Replace(File.ReadAllText(marker), "\"predictions/base.json\": [0-9]+", size));

        _toys.Succeed("user", "forget", "run", "ada");

        Assert.Contains("Zqad!", File.ReadAllText(answers), Ordinal);
        Assert.DoesNotContain("may be theirs", _toys.Output, Ordinal);
    }

    [Fact]
    public void Where_no_data_tell_the_texts_the_files_that_were_not_searched_are_named()
    {
        var data = new UserDataFiles(Path.GetDirectoryName(_toys.UsersFile)!, LampTasks.NewsHeadline);
        data.Remove(data.ReadUsers().First());
        _toys.Folder.Write("run/notes.txt", "anything");

        _toys.Succeed("user", "forget", "run", "ada");

        Assert.Contains("run/notes.txt (not searched for texts of ada, which no data hold now)", _toys.Output, Ordinal);
        Assert.False(Directory.Exists(_toys.At("run").SftAdapter("ada")));
    }

    [Fact]
    public void A_user_of_the_same_id_in_data_of_another_task_is_named_and_left()
    {
        var same = $"run/data/review_writing/{LampFiles.UsersFile}";
        _toys.Folder.Write(same, """[{"user_id": "bob"}, {"user_id": "ada", "profile": []}]""");
        _toys.Folder.Write($"run/data/damaged/{LampFiles.UsersFile}", """[{"user_id": "bob"}, {"user""");
        _toys.Folder.Write($"run/data/topic_writing/{LampFiles.UsersFile}", """[{"user_id": "cyd"}]""");

        _toys.Succeed("user", "forget", "run", "ada", "--data");

        Assert.EndsWith(
            "may be theirs and was left, check it: run/data/damaged (cannot be read), "
                + "run/data/review_writing (has a user ada, of another task)\n",
            _toys.Output,
            Ordinal
        );
        Assert.True(File.Exists(_toys.Folder.At(same)));
    }
}
