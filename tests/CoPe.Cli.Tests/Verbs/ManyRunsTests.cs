using System.Text.Json;
using System.Text.Json.Nodes;
using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Results;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>Commands over several runs of one recipe: seeds, comparisons, sweeps.</summary>
[Collection("torch")]
public sealed class ManyRunsTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    static readonly string[] Quick = ["--set", "predict=base,tam", "--set", "evaluate.likelihood=false"];

    [Fact]
    public void Each_seed_is_a_run_and_their_average_has_the_deviation_over_seeds()
    {
        Assert.True(
            world.RunCommand(
                default,
                ["run", "recipe.yaml", "--run", "seeds", "--seeds", "2", "--set", "seed=7", .. Quick]
            ) == 0,
            world.Error
        );

        var run = world.RunAt("seeds");
        var each = new long[] { 7, 8 }
            .Select(seed => ResultsFile.ReadJson(run.GetSeedRun(seed).Results)["tam", "rouge-1"].Mean)
            .ToArray();
        using var json = JsonDocument.Parse(File.ReadAllText(run.SeedResults));
        var average = json.RootElement.GetProperty("tam").GetProperty("rouge-1");
        Assert.Equal(each.Average(), average.GetProperty("mean").GetDouble(), 12);
        Assert.Equal(Math.Abs(each[0] - each[1]) / Math.Sqrt(2), average.GetProperty("seed_sd").GetDouble(), 12);
        Assert.StartsWith(
            "method,metric,mean,standard_error,n,seed_sd\nbase,rouge-1,",
            File.ReadAllText(run.SeedResultsTable),
            StringComparison.Ordinal
        );
        Assert.Contains("over 2 seeds", world.Output, StringComparison.Ordinal);
        Assert.Contains("seeds.html", world.Output, StringComparison.Ordinal);
        var page = File.ReadAllText(run.SeedReport);
        Assert.All(
            (string[])["seed 7", "seed 8", "ROUGE-L by seed", "<svg", "<b>seed</b>: 7"],
            text => Assert.Contains(text, page, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Compared_runs_stand_side_by_side_and_are_tested_where_their_queries_match()
    {
        Assert.True(
            world.RunCommand(
                default,
                ["run", "recipe.yaml", "--run", "short", .. Quick, "--set", "decode.max_new_tokens=1"]
            ) == 0,
            world.Error
        );
        Assert.Equal(
            0,
            world.RunCommand(default, "compare", "undisturbed", "short", "--csv", "all.csv", "--metric", "rouge-1")
        );
        Assert.Contains("B - A", world.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("not tested", world.Output, StringComparison.Ordinal);
        Assert.All(world.Output.Split('\n'), line => Assert.True(line.Length <= 80, line));
        Assert.StartsWith(
            "run,method,metric,mean,standard_error,n,seed_sd\nundisturbed,base,rouge-1,",
            File.ReadAllText(world.PathOf("all.csv")),
            StringComparison.Ordinal
        );

        Assert.Equal(0, world.RunCommand(default, "compare", "undisturbed", "short", "--json"));
        using var json = JsonDocument.Parse(world.Output);
        Assert.Equal(
            ["base", "tam"],
            json.RootElement.GetProperty("differences")
                .EnumerateArray()
                .Select(test => test.GetProperty("method").GetString())
                .Distinct()
        );
    }

    [Fact]
    public void Users_without_an_item_to_hold_out_are_refused_before_anything_is_trained()
    {
        var folder = Directory.CreateDirectory(world.PathOf("single/news_headline")).FullName;
        foreach (var file in Directory.EnumerateFiles(world.PathOf("data/news_headline")))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var path = Path.Combine(folder, LampFiles.UsersFile);
        var users = JsonNode.Parse(File.ReadAllText(path))!.AsArray();
        foreach (var user in users)
        {
            user!["profile"] = new JsonArray(user["profile"]![0]!.DeepClone());
        }

        File.WriteAllText(path, users.ToJsonString());

        Assert.Equal(
            1,
            world.RunCommand(
                default,
                [
                    "run",
                    "recipe.yaml",
                    "--run",
                    "single-run",
                    .. Quick,
                    "--set",
                    "data=single",
                    "--set",
                    "development_items=1",
                ]
            )
        );

        Assert.Contains("none of the 2 users in", world.Error, StringComparison.Ordinal);
        Assert.Contains("or set development_items=0", world.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(world.RunAt("single-run").TamAdapter));
    }

    [Fact]
    public void An_evaluated_run_is_compared_by_its_scores_without_its_answers_and_data()
    {
        var source = world.RunAt("undisturbed");
        var copy = world.RunAt("scores-only");
        foreach (var file in (string[])[source.Recipe, source.Results, source.Scores])
        {
            var target = Path.Combine(copy.Root, Path.GetRelativePath(source.Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        Assert.Equal(0, world.RunCommand(default, "compare", "undisturbed", "scores-only", "--json"));
        using var json = JsonDocument.Parse(world.Output);
        var tests = json.RootElement.GetProperty("differences").EnumerateArray().ToList();
        Assert.NotEmpty(tests);
        Assert.All(tests, test => Assert.Equal(0, test.GetProperty("difference").GetDouble()));

        File.Delete(copy.Scores);
        Assert.Equal(1, world.RunCommand(default, "compare", "undisturbed", "scores-only"));
        Assert.Contains("scores.jsonl is missing or empty", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Seeds_left_from_another_recipe_are_not_averaged()
    {
        foreach (var (seed, tokens) in new[] { (1, 5), (2, 3) })
        {
            foreach (
                var file in Directory.EnumerateFiles(world.RunAt("undisturbed").Root, "*", SearchOption.AllDirectories)
            )
            {
                var copy = Path.Combine(
                    world.RunAt("mixed").GetSeedRun(seed).Root,
                    Path.GetRelativePath(world.RunAt("undisturbed").Root, file)
                );
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
            var recipe = world.RunAt("mixed").GetSeedRun(seed).Recipe;
            var changed = Recipe.Read(recipe) with
            {
                Seed = seed,
                Decode = new() { MaxNewTokens = tokens },
            };
            Pipeline.SaveRecipe(changed, world.RunAt("mixed").GetSeedRun(seed));
        }

        Assert.Equal(1, world.RunCommand(default, "compare", "undisturbed", "mixed"));
        Assert.Contains(
            "seed-2 is of another recipe than mixed/seed-1 (decode.max_new_tokens is 3, not 5)",
            world.Error.Replace('\\', '/'),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Runs_over_other_queries_are_shown_and_not_tested()
    {
        Assert.True(
            world.RunCommand(
                default,
                ["run", "recipe.yaml", "--run", "development", .. Quick, "--set", "development_items=1"]
            ) == 0,
            world.Error
        );
        Assert.Equal(0, world.RunCommand(default, "compare", "undisturbed", "development"));
        Assert.Contains(
            "development is not tested against undisturbed: "
                + "undisturbed has 4 queries, development has 2, and none are the same",
            string.Join(' ', world.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("compare undisturbed", "needs two runs or more")]
    [InlineData("compare undisturbed nowhere", "nowhere holds no results")]
    [InlineData("compare undisturbed undisturbed --metric rouge", "unknown metric 'rouge'; did you mean 'rouge-1'?")]
    [InlineData("sweep recipe.yaml --over decode.contrast", "expected key=value,value")]
    [InlineData("sweep recipe.yaml --over decode.contrast=1", "needs two values or more")]
    [InlineData("sweep recipe.yaml --over decode.contrast=0,99 --run never", "'decode.contrast' is 99")]
    [InlineData(
        "sweep recipe.yaml --over decode.contrast=0,1 --method rag --run never",
        "the recipe does not predict 'rag'"
    )]
    [InlineData("run recipe.yaml --seeds 0", "--seeds is 0")]
    public void What_cannot_be_done_over_several_runs_is_one_line(string line, string message)
    {
        Assert.NotEqual(0, world.RunCommand(default, line.Split(' ')));
        Assert.Contains(message, Assert.Single(world.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.False(Directory.Exists(world.PathOf("never")));
    }

    [Fact]
    public void A_sweep_trains_once_for_keys_of_decoding_and_writes_the_best_as_a_recipe()
    {
        string[] line =
        [
            "sweep",
            "recipe.yaml",
            "--run",
            "sweep",
            "--over",
            "decode.max_new_tokens=1,6",
            "--over",
            "decode.repetition_penalty=1,1.5",
            "--items",
            "1",
            "--set",
            "predict=base,tam",
        ];
        Assert.True(world.RunCommand(default, line) == 0, world.Error);

        Assert.Equal(1, world.Error.Split('\n').Count(said => said == "train tam: begins"));
        var run = world.RunAt("sweep");
        var chosen = Recipe.Read(run.ChosenRecipe);
        Assert.Equal(0, chosen.DevelopmentItems); // chosen for the real queries
        Assert.Equal(5, chosen.Decode.MaxNewTokens); // the recipe's: no value tried was better
        Assert.Contains("tie of 1, 6: no value tried differs", world.Output, StringComparison.Ordinal);
        Assert.Contains("cope", chosen.Predict); // the recipe's methods, not those that the sweep was cut down to
        Assert.Contains("fewer than 10 users", world.Output, StringComparison.Ordinal);
        Assert.Contains("<svg", File.ReadAllText(run.SweepReport), StringComparison.Ordinal);
        Assert.Contains("p is too small", File.ReadAllText(run.SweepReport), StringComparison.Ordinal);
        Assert.Contains(
            "decode.repetition_penalty,1.5,tam,rouge-l,",
            File.ReadAllText(run.SweepTable),
            StringComparison.Ordinal
        );
        Assert.All(world.Output.Split('\n'), said => Assert.True(said.Length <= 80, said));

        Assert.Equal(0, world.RunCommand(default, line));
        Assert.DoesNotContain("begins", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sweep_says_what_contrast_adds_to_SFT_and_how_far_expert_and_amateur_are_apart()
    {
        // A recipe that names no data that is there: the command line does.
        var recipe = File.ReadAllLines(world.PathOf("recipe.yaml"));
        var data = recipe.Single(said => said.StartsWith("data:", StringComparison.Ordinal))["data:".Length..].Trim();
        var keys = recipe.Where(said => !said.StartsWith("data:", StringComparison.Ordinal));
        File.WriteAllLines(world.PathOf("elsewhere.yaml"), keys.Append("data: nowhere"));
        string[] line =
        [
            "sweep",
            "elsewhere.yaml",
            "--set",
            $"data={data}",
            "--run",
            "gains",
            "--over",
            "decode.contrast_unless_certain=null,0.5",
            "--items",
            "1",
            "--distance",
            "--set",
            "predict=tam,sft,sft+cd",
        ];
        Assert.True(world.RunCommand(default, line) == 0, world.Error);

        var rows = world.Output.Split('\n').Where(said => said.Contains("SFT+CD", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, rows.Count);
        Assert.All(rows, row => Assert.DoesNotMatch(@"\s-\s", row)); // the distance was measured
        Assert.All(world.Output.Split('\n'), said => Assert.True(said.Length <= 80, said));
        var file = File.ReadAllLines(world.RunAt("gains").SweepGains);
        Assert.Equal(3, file.Length);
        Assert.Matches(@"^decode\.contrast_unless_certain,null,-?\d[^,]*,sft\+cd,sft,rouge-l,", file[1]);
        Assert.Contains(
            "gained over SFT",
            File.ReadAllText(world.RunAt("gains").SweepReport),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("3e-4 1e-3 3e-3", 2, "largest")]
    [InlineData("1e-3 3e-4 3e-3", 1, "smallest")]
    [InlineData("1e-3 3e-4 3e-3", 0, null)]
    [InlineData("0 0.1 0.3", 0, null)]
    [InlineData("cosine linear", 0, null)]
    public void A_best_value_at_an_end_of_the_numbers_tried_is_named(string values, int chosen, string? end) =>
        Assert.Equal(end, SweepCurve.FindEdge(values.Split(' '), chosen));

    [Theory]
    [InlineData("0.1,0.10001", "no value tried differs, the recipe's 0.3 is kept", 0.3)]
    [InlineData("0.10001,0.3", "the recipe's 0.3 is kept", 0.3)]
    public void A_tie_is_called_one_and_keeps_the_value_of_the_recipe(string values, string said, double kept)
    {
        string[] line =
        [
            "sweep",
            "recipe.yaml",
            "--run",
            "tie",
            "--over",
            $"decode.contrast={values}",
            "--items",
            "1",
            "--set",
            "predict=tam",
            "--set",
            "decode.contrast=0.3",
        ];
        Assert.True(world.RunCommand(default, line) == 0, world.Error);

        Assert.Contains("tie of", world.Output, StringComparison.Ordinal);
        Assert.Contains(said, world.Output, StringComparison.Ordinal);
        Assert.Contains(said, File.ReadAllText(world.RunAt("tie").ChosenRecipe), StringComparison.Ordinal);
        Assert.Equal(kept, Recipe.Read(world.RunAt("tie").ChosenRecipe).Decode.Decoding.Contrast);
    }

    [Fact]
    public void The_development_queries_are_the_same_whatever_the_history_limit()
    {
        Assert.True(
            world.RunCommand(
                default,
                [
                    "sweep",
                    "recipe.yaml",
                    "--run",
                    "histories",
                    "--over",
                    "history_limit=1,2",
                    "--items",
                    "1",
                    "--set",
                    "predict=tam,rag",
                ]
            ) == 0,
            world.Error
        );
        var table = Assert.Single(
            world.Output.Split('\n'),
            line =>
                line.TrimStart().StartsWith("1 ", StringComparison.Ordinal)
                && line.Contains('±', StringComparison.Ordinal)
        );
        Assert.DoesNotContain(" - ", table, StringComparison.Ordinal); // a dash means that nothing could be tested
    }

    [Fact]
    public void Answers_and_golds_of_runs_are_exported_as_zips_that_score_as_the_run_did()
    {
        Assert.Equal(0, world.RunCommand(default, "export", "undisturbed", "--zip", "out/mine.zip", "--method", "tam"));
        Assert.Equal(0, world.RunCommand(default, "export", "undisturbed", "--zip", "out/golds.zip", "--golds"));
        Assert.Contains("LaMP_4 (4)", world.Output, StringComparison.Ordinal);

        Assert.Equal(
            0,
            world.RunCommand(
                default,
                "evaluate",
                "--predictions",
                "tam=out/mine.zip",
                "--golds",
                "out/golds.zip",
                "--json"
            )
        );
        using var json = JsonDocument.Parse(world.Output);
        Assert.Equal(
            ResultsFile.ReadJson(world.RunAt("undisturbed").Results)["tam", "meteor"].Mean,
            json.RootElement.GetProperty("news_headline")
                .GetProperty("tam")
                .GetProperty("meteor")
                .GetProperty("mean")
                .GetDouble(),
            12
        );

        Assert.NotEqual(0, world.RunCommand(default, "export", "undisturbed", "undisturbed", "--zip", "two.zip"));
        Assert.Contains("two runs are of LaMP_4", world.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, world.RunCommand(default, "export", "undisturbed", "--zip", "none.zip", "--method", "rag"));
        Assert.Contains("undisturbed has no answers of rag", world.Error, StringComparison.Ordinal);
    }
}
