using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Results;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>The optional methods, each enabled by one flag, on top of a complete run.</summary>
[Collection("torch")]
public sealed class OptionalMethodTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    [Fact]
    public void Every_optional_method_answers_every_query_and_is_measured()
    {
        string[] methods = ["base", "recent", "rag", "pag", "tam-all", "cope-sft", "cope"];
        string[] line =
        [
            "run",
            "recipe.yaml",
            "--run",
            "baselines",
            "--set",
            "context.profile_tokens=4",
            .. methods.SelectMany(method => (string[])["--method", method]),
        ];
        Assert.True(world.RunCommand(default, line) == 0, world.Error);

        var results = ResultsFile.ReadJson(world.RunAt("baselines").Results);
        Assert.Equal(methods, results.Methods);
        Assert.All(methods, method => Assert.Equal(4, results[method, "rouge-l"].Count));
        Assert.Equal(
            ["1", "2"],
            JsonLines.Read<Profile>(world.RunAt("baselines").Profiles).Select(profile => profile.User)
        );
        Assert.Contains("TAM-all", world.Output, StringComparison.Ordinal);
        // A contrast is no distribution over texts, so it has no likelihood; a reward needs a model that knows the
        // user, and the same model without that knowledge.
        Assert.Equal(
            ["base", "recent", "rag", "pag", "tam-all"],
            results.Methods.Where(method => results.Find(method, "gold-nll") is not null)
        );
        Assert.Equal(
            ["recent", "rag", "pag"],
            results.Methods.Where(method => results.Find(method, "reward-rank") is not null)
        );
        Assert.NotEqual(results["base", "gold-nll"].Mean, results["rag", "gold-nll"].Mean);
        Assert.NotEqual(results["rag", "gold-nll"].Mean, results["recent", "gold-nll"].Mean);
    }

    [Fact]
    public void A_run_trains_only_the_adapters_that_its_methods_use()
    {
        Assert.True(
            world.RunCommand(default, "run", "recipe.yaml", "--run", "prompts", "--set", "predict=base,rag") == 0,
            world.Error
        );

        Assert.DoesNotContain("train", world.Error, StringComparison.Ordinal);
        var results = ResultsFile.ReadJson(world.RunAt("prompts").Results);
        Assert.NotNull(results.Find("rag", "gold-nll"));
        Assert.Null(results.Find("rag", "reward-rank")); // no TAM to sample others' answers from

        Assert.True(
            world.RunCommand(default, "run", "recipe.yaml", "--run", "prompts", "--set", "predict=base,tam") == 0,
            world.Error
        );
        Assert.Contains("train tam: done", world.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("train sft", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_method_is_tested_against_every_other_in_files_and_the_last_in_the_terminal()
    {
        Assert.Equal(0, world.RunCommand(default, "evaluate", "--run", "undisturbed"));

        Assert.Contains("CoPe against", world.Output, StringComparison.Ordinal);
        Assert.All(world.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));
        var run = world.RunAt("undisturbed");
        var tests = SignificanceFile.Read(run);
        Assert.Equal(15, tests.Count(test => test.Metric == "rouge-l")); // pairs of six methods
        // Tam-base, sft-base, sft-tam.
        Assert.Equal(3, tests.Count(test => test is { Metric: "gold-nll", Method: "sft" or "tam" }));
        Assert.All(tests, test => Assert.Equal(("users", 2), (test.Unit, test.Helped + test.Hurt + test.Equal)));
        Assert.Equal(tests.Count + 1, File.ReadAllLines(run.SignificanceTable).Length);
        Assert.StartsWith(
            "user,history_items,queries,method,metric,mean\n1,3,2,base,rouge-1,",
            File.ReadAllText(run.UserResultsTable),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_does_not_fit_into_the_prompt_is_left_out_with_a_warning()
    {
        // The three items and the query fit into the context of 1,024 tokens beside an answer of 5; beside one of 860
        // not all of them do, but the query does.
        string[] line = ["predict", "recipe.yaml", "--run", "budget", "--method", "recent"];
        Assert.True(world.RunCommand(default, line) == 0, world.Error);
        Assert.DoesNotContain("hold less of the history", world.Error, StringComparison.Ordinal);

        Assert.True(world.RunCommand(default, [.. line, "--set", "decode.max_new_tokens=860"]) == 0, world.Error);
        Assert.Contains(
            "warning: predict recent: 4 of 4 prompts hold less of the history than asked for",
            world.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Where_no_prompt_fits_beside_the_answer_the_key_of_that_answer_is_named()
    {
        Assert.Equal(0, world.RunCommand(default, "train", "tam", "recipe.yaml", "--run", "room"));

        Assert.Equal(
            1,
            world.RunCommand(default, "negatives", "sample", "--run", "room", "--set", "negatives.max_new_tokens=1024")
        );
        Assert.Contains(
            "no prompt fits beside 1024 new tokens into the model's context of 1024: lower negatives.max_new_tokens",
            world.Error,
            StringComparison.Ordinal
        );
        Assert.Equal(
            1,
            world.RunCommand(
                default,
                "predict",
                "--run",
                "room",
                "--method",
                "base",
                "--set",
                "decode.max_new_tokens=1024"
            )
        );
        Assert.Contains("lower decode.max_new_tokens", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_without_spaces_is_cut_to_what_the_context_holds()
    {
        var file = Path.Combine(world.RunAt("endless").Root, "news_headline", LampFiles.UsersFile);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        foreach (var other in Directory.EnumerateFiles(Path.Combine(world.RunAt("data").Root, "news_headline")))
        {
            File.Copy(other, Path.Combine(Path.GetDirectoryName(file)!, Path.GetFileName(other)));
        }

        var users = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(file))!;
        users[0]!["query"]![0]!["input"] = new string('漢', 5000);
        File.WriteAllText(file, users.ToJsonString());

        Assert.True(
            world.RunCommand(
                default,
                "predict",
                "recipe.yaml",
                "--run",
                "spaceless",
                "--method",
                "base",
                "--set",
                "data=endless"
            ) == 0,
            world.Error
        );
    }

    [Fact]
    public void A_method_that_needs_another_stage_names_its_command()
    {
        Assert.Equal(1, world.RunCommand(default, "predict", "recipe.yaml", "--run", "needs", "--method", "pag"));
        Assert.Contains(
            "'predict pag' needs 'profile', which has not run in needs: run 'cope profile --run needs' first",
            world.Error,
            StringComparison.Ordinal
        );
    }

    sealed record Profile(string User);
}
