using System.CommandLine;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests;

public sealed class CommandLineTests : IDisposable
{
    readonly InProcessCommand _cope = new();

    public void Dispose() => _cope.Dispose();

    void AssertFails(int code, string message, params string[] args)
    {
        Assert.Equal(code, _cope.Run(args));
        Assert.Contains(message, Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", _cope.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_arguments_it_shows_its_verbs()
    {
        Assert.Equal(0, _cope.Run());
        Assert.Contains("  cope [command] [options]", _cope.Output, StringComparison.Ordinal);
        Assert.All(
            ["demo", "run", "train", "negatives", "predict", "evaluate", "report", "recipes"],
            verb => Assert.Contains($"  {verb}", _cope.Output, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void No_verb_has_two_options_or_verbs_of_one_name()
    {
        static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);
        foreach (
            var command in All(
                CommandLine.CreateRootCommand(
                    new()
                    {
                        Out = TextWriter.Null,
                        Error = TextWriter.Null,
                        SearchFolders = [],
                    }
                )
            )
        )
        {
            var names = command
                .Options.SelectMany(option => option.Aliases.Prepend(option.Name))
                .Concat(command.Subcommands.Select(verb => verb.Name))
                .ToArray();
            Assert.True(names.Distinct().Count() == names.Length, $"{command.Name}: {string.Join(" ", names.Order())}");
        }
    }

    [Fact]
    public void Version_names_what_it_runs_on()
    {
        Assert.Equal(0, _cope.Run("version"));
        Assert.StartsWith("cope 0.", _cope.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("trian", "'cope' has no verb 'trian'; did you mean 'train'?")]
    [InlineData("train tma", "'cope train' has no verb 'tma'; did you mean 'tam'?")]
    [InlineData("train", "'cope train' needs a verb: tam, tam-all, sft, dpo")]
    [InlineData("run recipe.yaml --user 3", "'cope run' has no option '--user'; did you mean '--users'?")]
    [InlineData("run recipe.yaml --users many", "see 'cope run --help'")]
    [InlineData("run", "name a recipe, or the folder of a run with --run")]
    [InlineData("run --run nothing", "there is no run nothing")]
    [InlineData("user forget nothing @ada", "there is no run nothing")]
    [InlineData("run @nowhere.yaml", "recipe @nowhere.yaml does not exist")]
    [InlineData("run nowhere.yaml", "recipe nowhere.yaml does not exist")]
    [InlineData("run frist", "recipe frist does not exist; did you mean 'first'?")]
    [InlineData(
        "run recipe.yaml --set dpo.betta=1",
        "--set dpo.betta=1: unknown key 'dpo.betta'; did you mean 'dpo.beta'?"
    )]
    [InlineData("run recipe.yaml --set task=news", "--set task=news: unknown task 'news'")]
    [InlineData("run recipe.yaml --set tam.lora.rank=0", "--set tam.lora.rank=0: 'tam.lora.rank' is 0")]
    [InlineData("predict recipe.yaml --method coep", "unknown method 'coep'; did you mean 'cope'?")]
    [InlineData("run recipe.yaml --users abc", "--users is 'abc'; it must be a whole number")]
    [InlineData("chat r --contrast much", "--contrast is 'much'; it must be a number")]
    [InlineData("data show recipe.yaml --stage foo", "--stage is 'foo'; it must be one of tam, sft, dpo, predict")]
    [InlineData("data sample d --users x", "--users is 'x'; it must be a whole number")]
    [InlineData("demo --helpp", "'cope demo' has no option '--helpp'; did you mean '--help'?")]
    [InlineData("demo --zzz", "'cope demo' has no option '--zzz'; see 'cope demo --help'")]
    [InlineData("--helpp", "'cope' has no option '--helpp'; did you mean '--help'?")]
    [InlineData("predict recipe.yaml --method foo", "unknown method 'foo' (there are ")]
    [InlineData("personalize mine", "'cope personalize' does not take 'mine'; did you mean '--history mine'?")]
    [InlineData("version now", "'cope version' does not take 'now'; see 'cope version --help'")]
    [InlineData("run\u001b[2J\nx", "'cope' has no verb 'run\\u001B[2J x'")]
    [InlineData("help trian", "'cope' has no verb 'trian'; did you mean 'train'?")]
    public void A_command_that_cannot_be_carried_out_is_a_usage_error(string line, string message) =>
        AssertFails(2, message, line.Split(' '));

    [Theory]
    [InlineData("--run is empty", "run", "recipe.yaml", "--run", "")]
    [InlineData("--run is empty", "run", "recipe.yaml", "--run", " \t")]
    [InlineData("<recipe> is empty", "run", "")]
    [InlineData("<run> is empty", "status", "")]
    [InlineData("<runs> is empty", "export", "runs/a", "", "--zip", "x.zip")]
    [InlineData("--zip is empty", "export", "runs/a", "--zip", "")]
    [InlineData("<folder> is empty", "data", "sample", "")]
    [InlineData("'data' is empty", "run", "recipe.yaml", "--set", "data=")]
    [InlineData("'model' is empty", "run", "recipe.yaml", "--set", "model= ")]
    public void A_path_that_says_nothing_does_not_mean_the_current_folder(string message, params string[] args)
    {
        AssertFails(2, message, args);
        Assert.False(File.Exists(_cope.At("stages")));
        Assert.False(Directory.Exists(_cope.At("runs")));
    }

    [Theory]
    [InlineData("...yaml", "'..'")]
    [InlineData(".yaml", "''")]
    [InlineData("..yaml", "'.'")]
    [InlineData(".hidden.yaml", "'.hidden'")]
    public void A_recipe_whose_name_is_none_of_a_folder_needs_one_for_its_run(string recipe, string name)
    {
        _cope.Write("here/" + recipe, File.ReadAllText(_cope.At("recipe.yaml")));

        AssertFails(2, $"the run of {recipe} would be called {name}", "run", recipe);
        AssertFails(2, $"would be called {name}", "sweep", recipe, "--over", "decode.contrast=0,1");
        Assert.False(Directory.Exists(_cope.At("stages")));
        Assert.Equal(0, _cope.Run("run", recipe, "--run", "runs/named"));
    }

    [Theory]
    [InlineData("help", "--help")]
    [InlineData("help run", "run --help")]
    [InlineData("help train sft", "train sft --help")]
    [InlineData("-v", "--version")]
    public void What_is_often_typed_is_understood(string line, string same)
    {
        Assert.Equal(0, _cope.Run(line.Split(' ')));
        var output = _cope.Output;
        Assert.NotEmpty(output);
        Assert.Equal(0, _cope.Run(same.Split(' ')));
        Assert.Equal(_cope.Output, output);
    }

    [Fact]
    public void A_verb_alone_that_needs_more_says_what_and_shows_its_help()
    {
        AssertFails(2, "'cope chat' needs <run>: folder of the run", "chat");
        Assert.Contains("cope chat <run>", _cope.Error, StringComparison.Ordinal);
        Assert.Equal("", _cope.Output);
    }

    [Theory]
    [InlineData("model=nowhere", "model folder nowhere does not exist")]
    [InlineData("data=nowhere", "data folder nowhere does not exist")]
    [InlineData("task=topic_writing", "holds no folder 'topic_writing'")]
    public void An_input_that_is_not_there_is_a_failure_that_leaves_nothing_behind(string pair, string message)
    {
        AssertFails(1, message, "run", "recipe.yaml", "--set", pair);
        Assert.False(File.Exists(_cope.At("runs/recipe/recipe.yaml")));
    }

    [Fact]
    public void A_recipe_runs_into_a_folder_of_its_name_and_stays_there()
    {
        Assert.Equal(0, _cope.Run("run", "recipe.yaml", "--set", "dpo.beta=0.5", "--users", "3", "--quiet"));

        var kept = File.ReadAllText(_cope.At("runs/recipe/recipe.yaml"));
        Assert.Contains("  beta: 0.5\n", kept, StringComparison.Ordinal);
        Assert.Contains("\nusers: 3\n", kept, StringComparison.Ordinal);
        Assert.Equal("", _cope.Error);
        Assert.Equal((1, 1), (_cope.Tam.Executions, _cope.Sft.Executions));
    }

    [Fact]
    public void A_shipped_recipe_is_found_by_its_name()
    {
        Assert.Equal(0, _cope.Run("run", "first"));
        Assert.True(File.Exists(_cope.At("runs/first/manifest.json")));
    }

    [Fact]
    public void Progress_without_a_terminal_is_lines()
    {
        _cope.Tam.BeforeExecute = context =>
            context.Progress.Report(
                new()
                {
                    Stage = "train tam",
                    User = "7",
                    Done = 5,
                    Total = 10,
                    Figures = new Dictionary<string, double> { ["loss"] = 1.5, ["tokens/s"] = 2140 },
                }
            );

        Assert.Equal(0, _cope.Run("run", "first"));
        Assert.StartsWith("train tam: begins\n", _cope.Error, StringComparison.Ordinal);
        Assert.Contains("train tam: done in 0:0", _cope.Error, StringComparison.Ordinal);

        Assert.Equal(0, _cope.Run("run", "first"));
        Assert.Equal(
            "train tam: complete already\ntrain sft: complete already\nevaluate: complete already\n",
            _cope.Error
        );
    }

    [Fact]
    public void A_stage_without_its_predecessor_names_the_command_to_run()
    {
        AssertFails(
            1,
            "'train sft' needs 'train tam', which has not run in runs/recipe: "
                + "run 'cope train tam --run runs/recipe' first",
            "train",
            "sft",
            "recipe.yaml"
        );

        Assert.Equal(0, _cope.Run("train", "tam", "--run", "runs/recipe"));
        Assert.Equal(0, _cope.Run("train", "sft", "--run", "runs/recipe"));
    }

    [Fact]
    public void A_cancelled_command_says_so_and_resumes_when_repeated()
    {
        using var source = new CancellationTokenSource();
        _cope.Sft.BeforeExecute = context =>
        {
            source.Cancel();
            context.Cancellation.ThrowIfCancellationRequested();
        };

        Assert.Equal(130, _cope.Run(source.Token, "run", "recipe.yaml"));
        Assert.EndsWith(
            "cope: stopped; the same command resumes from what was saved\n",
            _cope.Error,
            StringComparison.Ordinal
        );
        Assert.Empty(_cope.ErrorLines);

        _cope.Sft.BeforeExecute = null;
        Assert.Equal(0, _cope.Run("run", "recipe.yaml"));
        Assert.Contains("train sft: resumes where it stopped", _cope.Error, StringComparison.Ordinal);
        Assert.Equal(1, _cope.Tam.Executions);
    }

    [Fact]
    public void A_full_disk_is_one_clear_line()
    {
        _cope.Tam.BeforeExecute = _ =>
            throw new IOException(
                "No space left on device : '/x'",
                OperatingSystem.IsWindows() ? unchecked((int)0x80070070) : 28
            );

        AssertFails(
            1,
            "the disk is full (No space left on device : '/x'): free some space and run the same command again",
            "run",
            "recipe.yaml"
        );
    }

    [Fact]
    public void An_error_no_one_thought_of_is_one_line_and_its_origin_on_request()
    {
        _cope.Tam.BeforeExecute = _ => throw new InvalidOperationException("odd\nthing");

        AssertFails(1, "InvalidOperationException: odd thing (--verbose shows where)", "run", "recipe.yaml");
        Assert.Equal(1, _cope.Run("run", "recipe.yaml", "--verbose"));
        Assert.Contains("   at ", _cope.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_processes_do_not_share_a_run()
    {
        using var held = RunLock.Acquire(new(_cope.At("runs/recipe")));

        AssertFails(1, "another process is at work in runs/recipe", "run", "recipe.yaml");
    }

    [Fact]
    public void A_run_ends_with_its_table_and_answers_side_by_side()
    {
        Assert.Equal(0, _cope.Run("run", "recipe.yaml", "--quiet"));

        Assert.Contains("mean ± standard error over 500 queries", _cope.Output, StringComparison.Ordinal);
        Assert.Matches(@"base +│ +0\.1250 ± 0\.0000 +│ +- +│ +- +│", _cope.Output);
        Assert.Matches(@"CoPe +│ +0\.5000 ± 0\.0100 +│ +0\.2500 ± 0\.0200 +│ +- +│", _cope.Output);
        Assert.Contains("user u1: Generate a headline: rain", _cope.Output, StringComparison.Ordinal);
        Assert.Matches("the user +It Rains", _cope.Output);
        Assert.Matches(@"CoPe +\[cope\] said", _cope.Output);
        Assert.EndsWith("results  runs/recipe/results.json\n", _cope.Output, StringComparison.Ordinal);
        Assert.All(_cope.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));
    }

    [Fact]
    public void Json_is_the_results_and_nothing_else()
    {
        Assert.Equal(0, _cope.Run("run", "recipe.yaml", "--json"));

        using var results = System.Text.Json.JsonDocument.Parse(_cope.Output);
        Assert.Equal(
            0.5,
            results.RootElement.GetProperty("cope").GetProperty("rouge-1").GetProperty("mean").GetDouble()
        );
    }

    [Fact]
    public void Status_says_what_is_out_of_date_and_why()
    {
        Assert.Equal(0, _cope.Run("run", "recipe.yaml"));
        Assert.Equal(0, _cope.Run("status", "--run", "runs/recipe", "--set", "sft.epochs=9"));

        Assert.Equal(
            "train tam          complete\n"
                + "train sft          out of date: sft.epochs was 2, is 9\n"
                + "evaluate           out of date: 'train sft' has other inputs\n",
            _cope.Output
        );
    }

    [Fact]
    public void Status_as_json_has_state_reasons_and_time_of_every_stage()
    {
        Assert.Equal(0, _cope.Run("run", "recipe.yaml"));
        Assert.Equal(0, _cope.Run("status", "--run", "runs/recipe", "--set", "sft.epochs=9", "--json"));

        using var stages = System.Text.Json.JsonDocument.Parse(_cope.Output);
        var sft = stages
            .RootElement.EnumerateArray()
            .Single(stage => stage.GetProperty("stage").GetString() == "train sft");
        Assert.Equal("out of date", sft.GetProperty("state").GetString());
        Assert.Equal("sft.epochs was 2, is 9", Assert.Single(sft.GetProperty("reasons").EnumerateArray()).GetString());
        Assert.True(sft.GetProperty("seconds").GetDouble() >= 0);
    }

    [Fact]
    public void Json_is_offered_only_where_something_is_shown()
    {
        Assert.Equal(2, _cope.Run("train", "tam", "--json"));
        Assert.Contains("'cope train tam' has no option '--json'", _cope.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_changed_recipe_is_named_before_its_stages_run_again()
    {
        Assert.Equal(0, _cope.Run("run", "recipe.yaml"));
        Assert.Equal(0, _cope.Run("run", "recipe.yaml", "--set", "sft.epochs=9"));

        Assert.Contains(
            "cope: warning: sft.epochs was 2, is 9: 2 stages are rebuilt",
            _cope.Error,
            StringComparison.Ordinal
        );
        Assert.Equal((1, 2), (_cope.Tam.Executions, _cope.Sft.Executions));
    }
}

public class FailureTests
{
    public static TheoryData<Exception, string> Errors =>
        new()
        {
            { new ArgumentException("--from is after --to"), "--from is after --to" },
            { new ArgumentException("a rank of 0, expected 1 or more", "rank"), "a rank of 0, expected 1 or more" },
            {
                new ArgumentOutOfRangeException("rank", 0, "Rank is 0, expected 1 or more."),
                "Rank is 0, expected 1 or more."
            },
            { new IOException("the file is gone"), "the file is gone" },
            {
                new InvalidOperationException("odd\nand more"),
                "InvalidOperationException: odd and more (--verbose shows where)"
            },
        };

    [Theory]
    [MemberData(nameof(Errors))]
    public void An_error_is_one_line_and_names_its_type_only_where_it_is_nobodys_input(Exception error, string line) =>
        Assert.Equal(line, Failure.Describe(error));
}
