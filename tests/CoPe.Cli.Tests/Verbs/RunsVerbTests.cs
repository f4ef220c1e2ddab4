using System.Text.Json;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Verbs;

public sealed class RunsVerbTests : IDisposable
{
    readonly InProcessCommand _cope = new();

    public RunsVerbTests() => Run("run", "recipe.yaml", "--run", "runs/a", "--quiet");

    public void Dispose() => _cope.Dispose();

    void Run(params string[] args) => Assert.True(_cope.Run(args) == 0, _cope.Error);

    IReadOnlyList<JsonElement> List(params string[] more)
    {
        Run(["runs", "ls", "--json", .. more]);
        return [.. JsonDocument.Parse(_cope.Output).RootElement.EnumerateArray()];
    }

    [Fact]
    public void A_run_is_listed_with_what_it_is_made_of_and_came_to()
    {
        var run = Assert.Single(List());

        Assert.Equal("runs/a", run.GetProperty("run").GetString());
        Assert.Equal("news_headline", run.GetProperty("task").GetString());
        Assert.Equal("model", run.GetProperty("model").GetString());
        Assert.Equal(_cope.At("data"), run.GetProperty("data").GetString());
        Assert.Equal("complete", run.GetProperty("state").GetString());
        var best = run.GetProperty("best");
        Assert.Equal(
            ("rouge-l", "cope"),
            (best.GetProperty("metric").GetString(), best.GetProperty("method").GetString())
        );
        Assert.Equal(0.25, best.GetProperty("mean").GetDouble());
    }

    [Fact]
    public void The_table_fits_eighty_columns_and_keeps_numbers_whole()
    {
        Run(
            "run",
            "recipe.yaml",
            "--quiet",
            "--run",
            "runs/a-run-with-a-very-long-name-that-nobody-would-choose-twice"
        );
        Run("runs", "ls");

        var lines = _cope.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, 80));
        Assert.All(lines.Skip(1), line => Assert.EndsWith("rouge-l 0.2500 cope", line, StringComparison.Ordinal));
        Assert.StartsWith("runs/a ", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void The_state_says_what_is_out_of_date_or_missing()
    {
        File.Delete(new RunDirectory(_cope.At("runs/a")).Marker(StageId.Evaluate));
        Assert.Equal("2 of 3 stages", List()[0].GetProperty("state").GetString());

        Run("run", "--run", "runs/a", "--quiet");
        _cope.Write("here/data/news_headline/user_others.json", "[]");
        Assert.Equal("out of date", List()[0].GetProperty("state").GetString());
    }

    [Fact]
    public void A_run_at_work_is_said_to_be()
    {
        using var held = RunLock.Acquire(new(_cope.At("runs/a")));
        Assert.Equal("at work", List()[0].GetProperty("state").GetString());
    }

    [Fact]
    public void A_damaged_run_does_not_hide_the_others()
    {
        _cope.Write("here/runs/b/recipe.yaml", "task: [");
        var runs = List();
        Assert.Equal(["runs/a", "runs/b"], runs.Select(run => run.GetProperty("run").GetString()));
        Assert.StartsWith("unreadable: ", runs[1].GetProperty("state").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_of_several_seeds_are_one_line_and_with_all_a_line_each()
    {
        foreach (var seed in (string[])["seed-1", "seed-2"])
        {
            Run("run", "recipe.yaml", "--run", $"runs/seeds/{seed}", "--quiet");
        }

        Run("runs", "ls");
        Assert.Contains("runs/seeds (+2)", _cope.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("seed-1", _cope.Output, StringComparison.Ordinal);
        Run("runs", "ls", "--all");
        Assert.Contains("\n  seed-1 ", _cope.Output, StringComparison.Ordinal);
        Assert.Equal(2, List()[1].GetProperty("runs").GetArrayLength());
    }

    [Fact]
    public void Status_takes_the_run_first_and_another_recipe_as_an_option()
    {
        Run("status", "runs/a");
        Assert.Equal(3, _cope.Output.Split('\n').Count(line => line.EndsWith(" complete", StringComparison.Ordinal)));

        _cope.Write("here/more.yaml", "task: news_headline\nmodel: model\nsft: { epochs: 9 }\n");
        Run("status", "runs/a", "--recipe", "more.yaml");
        Assert.Contains("sft.epochs was 2, is 9", _cope.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status runs/b")]
    [InlineData("chat runs/b")]
    [InlineData("user ls runs/b")]
    [InlineData("run --run runs/b")]
    public void A_run_that_is_not_there_is_answered_with_those_that_are(string line)
    {
        Assert.Equal(2, _cope.Run(line.Split(' ')));
        Assert.Contains("there is no run runs/b", Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
        Assert.Contains("runs/a", Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_named_without_its_folder_is_suggested_with_it()
    {
        Assert.Equal(2, _cope.Run("status", "a"));
        Assert.Contains("there is no run a", Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
        Run("run", "recipe.yaml", "--run", "runs/mails", "--quiet");
        Assert.Equal(2, _cope.Run("status", "mials"));
        Assert.Contains("did you mean 'runs/mails'?", Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_not_there_is_an_error_and_one_without_runs_is_not()
    {
        Assert.Equal(2, _cope.Run("runs", "ls", "nowhere"));
        Run("runs", "ls", "data");
        Assert.Contains("no run in data", _cope.Error, StringComparison.Ordinal);
    }
}
