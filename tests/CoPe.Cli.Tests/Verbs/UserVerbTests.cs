using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Cli.Tests.Verbs;

[Collection("torch")]
public sealed class UserVerbTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    static string Users(TinyRunFixture world) =>
        Path.Combine(world.RunAt("data").Root, "news_headline", LampFiles.UsersFile);

    [Fact]
    public void Users_are_listed_shown_and_forgotten_completely_while_the_run_stays_whole()
    {
        Assert.Equal(0, world.RunCommand(default, "user", "ls", "undisturbed"));
        Assert.Equal(3, world.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(0, world.RunCommand(default, "user", "show", "undisturbed", "1"));
        Assert.All(
            (string[])
                [
                    "sft/1",
                    "dpo/1",
                    "negatives/candidates.jsonl",
                    "negatives/pairs.jsonl",
                    "predictions/cope.json",
                    "evaluation/likelihood.jsonl",
                    "metrics/train-sft.jsonl",
                    "report.html",
                    "results.json",
                ],
            path => Assert.Contains(path, world.Output, StringComparison.Ordinal)
        );
        var run = world.RunAt("undisturbed");
        var (texts, queries) = ReadTexts(0);
        Assert.Contains(
            Files(run.Root),
            file =>
                queries.Any(query =>
                    File.ReadAllText(file).Contains($"\"query\":\"{query}\"", StringComparison.Ordinal)
                )
        );

        Assert.True(world.RunCommand(default, "user", "forget", "undisturbed", "1") == 0, world.Error);

        // The whole run directory, whatever the kind of file: no text or query of the user, no line with their id.
        foreach (var file in Files(run.Root))
        {
            var content = File.ReadAllText(file);
            Assert.DoesNotContain(texts, content.Contains);
            Assert.DoesNotContain(
                queries,
                query =>
                    content.Contains($"\"query\":\"{query}\"", StringComparison.Ordinal)
                    || content.Contains($"\"id\": \"{query}\"", StringComparison.Ordinal)
            );
            Assert.DoesNotContain("\"user\":\"1\"", content, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(run.SftAdapter("1")) || Directory.Exists(run.DpoAdapter("1")));
        Assert.True(Directory.Exists(run.DpoAdapter("2")));
        using var results = JsonDocument.Parse(File.ReadAllText(run.Results));
        Assert.Equal(2, results.RootElement.GetProperty("cope").GetProperty("rouge-l").GetProperty("n").GetInt32());

        // The user does not come back, although the data still hold them, and nothing is out of date.
        Assert.Equal(0, world.RunAll("undisturbed"));
        Assert.DoesNotContain("begins", world.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(run.SftAdapter("1")));
        Assert.Equal(0, world.RunCommand(default, "user", "ls", "undisturbed"));
        Assert.DoesNotContain("\n1 ", world.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_user_who_is_not_there_or_trained_the_task_model_is_refused()
    {
        Assert.Equal(1, world.RunCommand(default, "user", "forget", "undisturbed", "nobody"));
        Assert.Contains("has no user 'nobody'", world.Error, StringComparison.Ordinal);
        using var others = JsonDocument.Parse(
            File.ReadAllText(Users(world).Replace(LampFiles.UsersFile, LampFiles.OthersFile, StringComparison.Ordinal))
        );
        Assert.Equal(
            1,
            world.RunCommand(
                default,
                "user",
                "forget",
                "undisturbed",
                others.RootElement[0].GetProperty("user_id").GetString()!
            )
        );
        Assert.Contains("task-adaptive model", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_list_of_forgotten_users_names_nobody()
    {
        var run = world.RunAt("elsewhere");
        ForgottenUsers.Read(run).With("Ada Lovelace").Write(run);

        Assert.True(ForgottenUsers.Read(run).Contains("Ada Lovelace"));
        Assert.False(ForgottenUsers.Read(run).Contains("Ada"));
        Assert.DoesNotContain("Ada", File.ReadAllText(run.ForgottenUsers), StringComparison.Ordinal);
    }

    static IEnumerable<string> Files(string root) =>
        Directory
            .EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetFileName(file) != ".lock");

    (List<string> Texts, List<string> Queries) ReadTexts(int place)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Users(world)));
        var user = json.RootElement[place];
        return (
            [
                .. user.GetProperty("profile").EnumerateArray().Select(item => item.GetProperty("title").GetString()!),
                .. user.GetProperty("query").EnumerateArray().Select(query => query.GetProperty("gold").GetString()!),
            ],
            [.. user.GetProperty("query").EnumerateArray().Select(query => query.GetProperty("id").GetString()!)]
        );
    }
}

/// <summary>
/// After an erasure no byte of the run names the user or holds a text of theirs, in whatever encoding a format uses.
/// </summary>
[Collection("torch")]
public sealed class UserForgetTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    const string ForgottenUser = "Zoë \"Z\" Müller",
        OtherUser = "bob-smith-77";

    string Users => Path.Combine(world.RunAt("data").Root, "news_headline", LampFiles.UsersFile);

    /// <summary>Gives the users names and texts that every format spells in its own way.</summary>
    List<string> RenameUsers()
    {
        var first = world.PathOf("users-at-first.json");
        if (!File.Exists(first))
        {
            File.Copy(Users, first);
        }

        using var json = JsonDocument.Parse(File.ReadAllText(first));
        string[] names = [ForgottenUser, OtherUser];
        var users = json
            .RootElement.EnumerateArray()
            .Take(2)
            .Select(
                (user, place) =>
                    new
                    {
                        user_id = names[place],
                        profile = user.GetProperty("profile")
                            .EnumerateArray()
                            .Select(
                                (item, number) =>
                                    new
                                    {
                                        id = $"{names[place]}-{number}",
                                        text = item.GetProperty("text").GetString(),
                                        title = $"The \"own\" <headline> {number} — of {names[place]} & co",
                                    }
                            )
                            .ToList(),
                        query = user.GetProperty("query")
                            .EnumerateArray()
                            .Select(
                                (query, number) =>
                                    new
                                    {
                                        id = $"question-{place}-{number}",
                                        input = query.GetProperty("input").GetString(),
                                        gold = $"A 'gold' & <b> number {number} of {names[place]}",
                                    }
                            )
                            .ToList(),
                    }
            )
            .ToList();
        File.WriteAllText(Users, JsonSerializer.Serialize(users));
        File.Delete(Users.Replace(LampFiles.UsersFile, LampFiles.LabelsFile, StringComparison.Ordinal));
        var gone = users[0];
        return
        [
            gone.user_id,
            .. gone.profile.Select(item => item.title),
            .. gone.profile.Select(item => item.id),
            .. gone.query.Select(query => query.gold),
            .. gone.query.Select(query => query.id),
        ];
    }

    static IEnumerable<string> Spellings(string text) =>
        new[]
        {
            text,
            JsonEncodedText.Encode(text).Value,
            JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value,
            WebUtility.HtmlEncode(text),
            HtmlEncoder.Default.Encode(text),
            text.Replace("\"", "\"\"", StringComparison.Ordinal),
        }.Distinct();

    static List<string> FilesWithTraces(string root, List<string> traces)
    {
        var spelled = traces.SelectMany(Spellings).Distinct().Select(Encoding.UTF8.GetBytes).ToList();
        return
        [
            .. Directory
                .EnumerateFiles(root, "*", SearchOption.AllDirectories)
                .Where(file =>
                    Path.GetFileName(file) != ".lock"
                    && File.ReadAllBytes(file) is var bytes
                    && spelled.Any(text => bytes.AsSpan().IndexOf(text) >= 0)
                )
                .Select(file => Path.GetRelativePath(root, file)),
        ];
    }

    int RunCommand(params string[] args) => world.RunCommand(default, args);

    [Fact]
    public void Answers_of_others_by_a_method_that_the_recipe_does_not_name_stay()
    {
        var traces = RenameUsers();
        Assert.True(
            RunCommand(
                "run",
                "recipe.yaml",
                "--run",
                "further",
                "--set",
                "predict=base",
                "--set",
                "evaluate.likelihood=false"
            ) == 0,
            world.Error
        );
        Assert.True(RunCommand("predict", "--run", "further", "--method", "recent") == 0, world.Error);

        Assert.True(RunCommand("user", "forget", "further", ForgottenUser) == 0, world.Error);

        Assert.Empty(FilesWithTraces(world.RunAt("further").Root, traces));
        Assert.Equal(
            ["question-1-0", "question-1-1"],
            PredictionFile.Read(world.RunAt("further").Predictions("recent")).Predictions.Select(answer => answer.Id)
        );
        Assert.True(File.Exists(world.RunAt("further").Marker(StageId.Predict(PredictionMethod.Find("recent")))));
    }

    [Fact]
    public void Runs_of_several_seeds_hold_nothing_of_the_user_and_neither_does_a_seed_that_is_added()
    {
        var traces = RenameUsers();
        Assert.True(RunCommand("run", "recipe.yaml", "--run", "seeds", "--seeds", "2") == 0, world.Error);
        Assert.NotEmpty(FilesWithTraces(world.RunAt("seeds").Root, traces));

        Assert.True(RunCommand("user", "forget", "seeds", ForgottenUser) == 0, world.Error);

        Assert.Contains("seed-43/report.html", world.Output, StringComparison.Ordinal);
        Assert.Contains("still holds the user", world.Output, StringComparison.Ordinal);
        Assert.Empty(FilesWithTraces(world.RunAt("seeds").Root, traces));
        Assert.False(File.Exists(world.RunAt("seeds").SeedResults));
        Assert.True(Directory.Exists(world.RunAt("seeds/seed-42").DpoAdapter(OtherUser)));

        Assert.True(RunCommand("run", "recipe.yaml", "--run", "seeds", "--seeds", "3") == 0, world.Error);
        Assert.True(File.Exists(world.RunAt("seeds").SeedResults));
        Assert.Empty(FilesWithTraces(world.RunAt("seeds").Root, traces));
    }

    [Fact]
    public void Erased_from_the_run_of_one_seed_the_user_is_in_no_average_and_the_other_runs_are_named()
    {
        var traces = RenameUsers();
        Assert.True(RunCommand("run", "recipe.yaml", "--run", "one-seed", "--seeds", "2") == 0, world.Error);
        var run = world.RunAt("one-seed");
        Assert.True(File.Exists(run.SeedReport) && File.Exists(run.SeedResults) && File.Exists(run.SeedResultsTable));

        Assert.Equal(0, RunCommand("user", "show", "one-seed/seed-42", ForgottenUser));
        Assert.Contains("seeds.html", world.Output, StringComparison.Ordinal);
        Assert.True(RunCommand("user", "forget", "one-seed/seed-42", ForgottenUser) == 0, world.Error);

        Assert.Contains(
            "one-seed/seed-43 still holds the user; 'cope user forget one-seed ",
            world.Output.Replace('\\', '/'),
            StringComparison.Ordinal
        );
        Assert.Empty(FilesWithTraces(run.GetSeedRun(42).Root, traces));
        Assert.NotEmpty(FilesWithTraces(run.GetSeedRun(43).Root, traces));
        Assert.False(File.Exists(run.SeedReport) || File.Exists(run.SeedResults) || File.Exists(run.SeedResultsTable));

        Assert.True(RunCommand("user", "forget", "one-seed", ForgottenUser) == 0, world.Error);
        Assert.Empty(FilesWithTraces(run.Root, traces));
    }

    [Fact]
    public void A_sweep_holds_nothing_of_the_user_though_their_items_were_its_queries()
    {
        var traces = RenameUsers();
        Assert.True(
            RunCommand("sweep", "recipe.yaml", "--run", "sweep", "--over", "decode.contrast=0,0.5", "--items", "1")
                == 0,
            world.Error
        );
        Assert.NotEmpty(FilesWithTraces(world.RunAt("sweep").Root, traces));

        Assert.True(RunCommand("user", "forget", "sweep", ForgottenUser) == 0, world.Error);

        Assert.Empty(FilesWithTraces(world.RunAt("sweep").Root, traces));
        Assert.False(File.Exists(world.RunAt("sweep").SweepReport) || File.Exists(world.RunAt("sweep").ChosenRecipe));
    }

    [Fact]
    public void Adapters_of_others_trained_against_the_users_texts_are_removed_too()
    {
        var traces = RenameUsers();
        Assert.True(
            RunCommand("run", "recipe.yaml", "--run", "borrowed", "--set", "negatives.kind=random", "--set", "seed=1")
                == 0,
            world.Error
        );
        var run = world.RunAt("borrowed");
        Assert.Contains(
            File.ReadLines(run.Pairs),
            line =>
                line.Contains(OtherUser, StringComparison.Ordinal)
                && line.Contains("headline", StringComparison.Ordinal)
        ); // two users: each borrows from the other

        Assert.True(RunCommand("user", "forget", "borrowed", ForgottenUser) == 0, world.Error);

        Assert.Empty(FilesWithTraces(run.Root, traces));
        Assert.True(Directory.Exists(run.SftAdapter(OtherUser)));
        Assert.False(Directory.Exists(run.DpoAdapter(OtherUser)) || File.Exists(run.Predictions("cope")));
    }

    [Fact]
    public void A_user_who_left_the_data_before_is_erased_by_what_the_run_holds()
    {
        var traces = RenameUsers();
        Assert.True(RunCommand("run", "recipe.yaml", "--run", "left") == 0, world.Error);
        using (var json = JsonDocument.Parse(File.ReadAllText(Users)))
        {
            File.WriteAllText(Users, $"[{json.RootElement[1].GetRawText()}]");
        }

        Assert.True(RunCommand("user", "forget", "left", ForgottenUser) == 0, world.Error);

        Assert.DoesNotContain("still holds the user", world.Output, StringComparison.Ordinal);
        Assert.Empty(FilesWithTraces(world.RunAt("left").Root, traces));
        Assert.Equal(1, RunCommand("user", "forget", "left", "nobody"));
    }
}
