using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>What a run remembers holds from any folder, and gives what the command line does not.</summary>
public sealed class RememberedRecipeTests : IDisposable
{
    const string Others = """[{"user_id": "o", "profile": [], "query": [{"id": "x", "input": "i", "gold": "g"}]}]""";

    readonly InProcessCommand _cope = new();

    public void Dispose() => _cope.Dispose();

    void Run(params string[] args) => Assert.True(_cope.Run(args) == 0, _cope.Error);

    Recipe Kept(string run) => RunRecipe.Read(new RunDirectory(_cope.Beside(run)));

    /// <summary>Another project with files of the same names and other contents.</summary>
    void GoToAnotherProject()
    {
        _cope.Write(
            "other/data/news_headline/user_others.json",
            Others.Replace("\"o\"", "\"z\"", StringComparison.Ordinal)
        );
        _cope.Write(
            "other/data/news_headline/user_top_100_history.json",
            """
            [{"user_id": "u2", "profile": [{"id": "h", "text": "t", "title": "t"}],
              "query": [{"id": "q1", "input": "Generate a headline: sun", "gold": "It Shines"}]}]
            """
        );
        _cope.Write("other/m/scribe/config.json", """{"other": 1}""");
        _cope.Write("other/model/config.json", """{"other": 1}""");
        _cope.Write("other/tasks/news_headline.yaml", "name: other");
        _cope.WorkingFolder = "other";
    }

    void AssertNothingRuns(params string[] args)
    {
        var before = (_cope.Tam.Executions, _cope.Sft.Executions, _cope.Evaluate.Executions);
        Run(args);
        Assert.Equal(before, (_cope.Tam.Executions, _cope.Sft.Executions, _cope.Evaluate.Executions));
    }

    [Fact]
    public void A_run_from_another_folder_reads_its_own_model_data_and_task()
    {
        _cope.Write("here/m/scribe/config.json", "{}");
        Run("run", "recipe.yaml", "--model", "m/scribe/", "--run", "runs/a");
        GoToAnotherProject();

        AssertNothingRuns("run", "--run", "../here/runs/a");

        var kept = Kept("here/runs/a");
        Assert.Equal((_cope.At("m/scribe"), _cope.At("data"), "news_headline"), (kept.Model, kept.Data, kept.Task));
    }

    [Fact]
    public void A_shipped_model_stays_a_name_and_is_not_taken_from_the_working_folder()
    {
        Run("run", "recipe.yaml", "--run", "runs/a");
        Assert.Equal("model", Kept("here/runs/a").Model);
        GoToAnotherProject();

        AssertNothingRuns("run", "--run", "../here/runs/a");
    }

    [Fact]
    public void Data_within_a_run_move_with_it()
    {
        Directory.CreateDirectory(_cope.At("runs/a"));
        Directory.Move(_cope.At("data"), _cope.At("runs/a/data"));
        Run("run", "recipe.yaml", "--run", "runs/a", "--set", "data=runs/a/data");
        Assert.Contains("\ndata: ./data\n", File.ReadAllText(_cope.At("runs/a/recipe.yaml")), StringComparison.Ordinal);
        Directory.Move(_cope.At("runs/a"), _cope.Beside("moved"));
        GoToAnotherProject();

        AssertNothingRuns("run", "--run", "../moved");

        Directory.CreateSymbolicLink(_cope.Beside("link"), _cope.Beside("moved"));
        AssertNothingRuns("run", "--run", "../link");
        Assert.Equal(_cope.Beside("moved/data"), Kept("moved").Data);
    }

    [Fact]
    public void A_task_file_counts_by_its_content_wherever_the_run_is_moved()
    {
        _cope.Write("here/mine/task.yaml", File.ReadAllText(_cope.Beside("shipped/tasks/news_headline.yaml")));
        Run("run", "recipe.yaml", "--run", "runs/a", "--set", "task=mine/task.yaml");
        Directory.Move(_cope.At("mine"), _cope.Beside("theirs"));

        AssertNothingRuns("run", "--run", "runs/a", "--set", $"task={_cope.Beside("theirs/task.yaml")}");
    }

    [Fact]
    public void What_is_not_given_comes_from_the_run_and_what_is_given_wins()
    {
        _cope.Write("here/m/config.json", "{}");
        Run("run", "recipe.yaml", "--model", "m", "--set", "dpo.beta=0.5", "--set", "sft.epochs=2", "--run", "r");

        Run("run", "--run", "r", "--set", "dpo.beta=0.25");
        var kept = Kept("here/r");
        Assert.Equal((_cope.At("m"), 0.25, 2), (kept.Model, kept.Dpo.Preference.Beta, kept.Sft.Training.Epochs));

        Run("run", "recipe.yaml", "--run", "r");
        kept = Kept("here/r");
        Assert.Equal(("model", new Recipe().Dpo.Preference.Beta), (kept.Model, kept.Dpo.Preference.Beta));
    }

    [Fact]
    public void A_model_that_is_gone_is_said_to_be_and_named_again_it_keeps_every_stage()
    {
        _cope.Write("here/m/scribe/config.json", "{}");
        Run("run", "recipe.yaml", "--model", "m/scribe", "--run", "runs/a");
        Directory.Move(_cope.At("m"), _cope.At("n"));

        Assert.Equal(1, _cope.Run("run", "--run", "runs/a"));
        Assert.Contains(
            "'cope run --run runs/a --model FOLDER'",
            Assert.Single(_cope.ErrorLines),
            StringComparison.Ordinal
        );

        AssertNothingRuns("run", "--run", "runs/a", "--model", "n/scribe");
        Assert.Equal(_cope.At("n/scribe"), Kept("here/runs/a").Model);
    }

    /// <summary>A run of an earlier version, whose recipe has paths as they were typed.</summary>
    void RunAsEarlierVersion(string run, params string[] more)
    {
        Run(["run", "recipe.yaml", "--run", run, .. more]);
        var kept = Kept("here/" + run);
        string Typed(string path) => Path.IsPathRooted(path) ? Path.GetRelativePath(_cope.At(""), path) : path;
        var typed = kept with { Data = Typed(kept.Data), Model = Typed(kept.Model) };
        File.WriteAllText(_cope.At(run + "/recipe.yaml"), typed.ToYaml());
    }

    [Fact]
    public void A_run_of_an_earlier_version_finds_its_data_from_the_folders_above_it()
    {
        RunAsEarlierVersion("runs/a");
        GoToAnotherProject();

        AssertNothingRuns("run", "--run", "../here/runs/a");
        Assert.Equal(_cope.At("data"), Kept("here/runs/a").Data);
    }

    [Fact]
    public void A_run_of_an_earlier_version_that_lies_elsewhere_finds_its_data_where_it_read_them()
    {
        RunAsEarlierVersion("runs/a");
        GoToAnotherProject();
        Directory.Move(_cope.At("runs/a"), _cope.Beside("other/a"));

        AssertNothingRuns("run", "--run", "a");
        Assert.Equal(_cope.At("data"), Kept("other/a").Data);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_run_of_an_earlier_version_whose_data_are_gone_never_takes_those_of_another_project(bool hasHashes)
    {
        RunAsEarlierVersion("runs/a");
        GoToAnotherProject();
        Directory.Move(_cope.At("runs/a"), _cope.Beside("other/a"));
        Directory.Delete(_cope.At("data"), recursive: true);
        if (!hasHashes)
        {
            File.Delete(new RunDirectory(_cope.Beside("other/a")).FileHashes);
        }

        Assert.Equal(1, _cope.Run("run", "--run", "a"));
        Assert.Contains("--set data=FOLDER", Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain(_cope.Beside("other/data"), Kept("other/a").Data, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data=recipe.yaml", "data recipe.yaml is a file, expected a folder")]
    [InlineData("model=recipe.yaml", "model recipe.yaml is a file")]
    public void A_file_in_place_of_a_folder_is_said_to_be_one(string pair, string message)
    {
        Assert.Equal(1, _cope.Run("run", "recipe.yaml", "--set", pair));
        Assert.Contains(message, Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("data")]
    [InlineData("model")]
    public void An_absolute_path_was_looked_up_nowhere_else(string key)
    {
        Assert.Equal(1, _cope.Run("run", "recipe.yaml", "--set", $"{key}={_cope.Beside("nowhere")}"));
        Assert.DoesNotContain("looked in", Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
        Assert.Equal(1, _cope.Run("run", "recipe.yaml", "--set", $"{key}=nowhere"));
        Assert.Contains("(looked in ", Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
    }
}
