using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CoPe.Data;
using CoPe.Evaluation;

namespace CoPe.Tests.Cli;

/// <summary>After an erasure no byte of the run names the user or holds a text of his, in whatever spelling a format gives it.</summary>
[Collection("torch")]
public sealed class UserForgetTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    const string Gone = "Zoë \"Z\" Müller", Left = "bob-smith-77";

    string Users => Path.Combine(world.At("data").Root, "news_headline", LampFiles.UsersFile);

    /// <summary>Gives the users names and texts that every format spells in its own way.</summary>
    List<string> Rename()
    {
        var first = world.PathOf("users-at-first.json");
        if (!File.Exists(first)) File.Copy(Users, first);
        using var json = JsonDocument.Parse(File.ReadAllText(first));
        string[] names = [Gone, Left];
        var users = json.RootElement.EnumerateArray().Take(2).Select((user, place) => new
        {
            user_id = names[place],
            profile = user.GetProperty("profile").EnumerateArray().Select((item, number) => new { id = $"{names[place]}-{number}", text = item.GetProperty("text").GetString(), title = $"The \"own\" <headline> {number} — of {names[place]} & co" }).ToList(),
            query = user.GetProperty("query").EnumerateArray().Select((query, number) => new { id = $"question-{place}-{number}", input = query.GetProperty("input").GetString(), gold = $"A 'gold' & <b> number {number} of {names[place]}" }).ToList(),
        }).ToList();
        File.WriteAllText(Users, JsonSerializer.Serialize(users));
        File.Delete(Users.Replace(LampFiles.UsersFile, LampFiles.LabelsFile, StringComparison.Ordinal));
        var gone = users[0];
        return [gone.user_id, .. gone.profile.Select(item => item.title), .. gone.profile.Select(item => item.id), .. gone.query.Select(query => query.gold), .. gone.query.Select(query => query.id)];
    }

    static IEnumerable<string> Spellings(string text) => new[]
    {
        text, JsonEncodedText.Encode(text).Value, JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value, WebUtility.HtmlEncode(text), HtmlEncoder.Default.Encode(text),
        text.Replace("\"", "\"\"", StringComparison.Ordinal),
    }.Distinct();

    static List<string> Found(string root, List<string> traces)
    {
        var spelled = traces.SelectMany(Spellings).Distinct().Select(Encoding.UTF8.GetBytes).ToList();
        return [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != ".lock" && File.ReadAllBytes(file) is var bytes && spelled.Any(text => bytes.AsSpan().IndexOf(text) >= 0)).Select(file => Path.GetRelativePath(root, file))];
    }

    int Cope(params string[] args) => world.Cope(default, args);

    [Fact]
    public void Answers_of_others_by_a_method_that_the_recipe_does_not_name_stay()
    {
        var traces = Rename();
        Assert.True(Cope("run", "recipe.yaml", "--run", "further", "--set", "predict=base", "--set", "evaluate.likelihood=false") == 0, world.Error);
        Assert.True(Cope("predict", "--run", "further", "--method", "recent") == 0, world.Error);

        Assert.True(Cope("user", "forget", "further", Gone) == 0, world.Error);

        Assert.Empty(Found(world.At("further").Root, traces));
        Assert.Equal(["question-1-0", "question-1-1"], PredictionFile.Read(world.At("further").Predictions("recent")).Predictions.Select(answer => answer.Id));
        Assert.True(File.Exists(world.At("further").Marker("predict recent")));
    }

    [Fact]
    public void Runs_of_several_seeds_hold_nothing_of_him_and_a_seed_that_is_added_neither()
    {
        var traces = Rename();
        Assert.True(Cope("run", "recipe.yaml", "--run", "seeds", "--seeds", "2") == 0, world.Error);
        Assert.NotEmpty(Found(world.At("seeds").Root, traces));

        Assert.True(Cope("user", "forget", "seeds", Gone) == 0, world.Error);

        Assert.Contains("seed-43/report.html", world.Output, StringComparison.Ordinal);
        Assert.Contains("still holds him", world.Output, StringComparison.Ordinal);
        Assert.Empty(Found(world.At("seeds").Root, traces));
        Assert.False(File.Exists(world.At("seeds").SeedResults));
        Assert.True(Directory.Exists(world.At("seeds/seed-42").DpoAdapter(Left)));

        Assert.True(Cope("run", "recipe.yaml", "--run", "seeds", "--seeds", "3") == 0, world.Error);
        Assert.True(File.Exists(world.At("seeds").SeedResults));
        Assert.Empty(Found(world.At("seeds").Root, traces));
    }

    [Fact]
    public void Erased_from_the_run_of_one_seed_he_is_in_no_average_either_and_the_other_runs_are_named()
    {
        var traces = Rename();
        Assert.True(Cope("run", "recipe.yaml", "--run", "one-seed", "--seeds", "2") == 0, world.Error);
        var run = world.At("one-seed");
        Assert.True(File.Exists(run.SeedReport) && File.Exists(run.SeedResults) && File.Exists(run.SeedResultsTable));

        Assert.Equal(0, Cope("user", "show", "one-seed/seed-42", Gone));
        Assert.Contains("seeds.html", world.Output, StringComparison.Ordinal);
        Assert.True(Cope("user", "forget", "one-seed/seed-42", Gone) == 0, world.Error);

        Assert.Contains("one-seed/seed-43 still holds him; 'cope user forget one-seed ", world.Output.Replace('\\', '/'), StringComparison.Ordinal);
        Assert.Empty(Found(run.OfSeed(42).Root, traces));
        Assert.NotEmpty(Found(run.OfSeed(43).Root, traces));
        Assert.False(File.Exists(run.SeedReport) || File.Exists(run.SeedResults) || File.Exists(run.SeedResultsTable));

        Assert.True(Cope("user", "forget", "one-seed", Gone) == 0, world.Error);
        Assert.Empty(Found(run.Root, traces));
    }

    [Fact]
    public void A_sweep_holds_nothing_of_him_though_his_items_were_its_queries()
    {
        var traces = Rename();
        Assert.True(Cope("sweep", "recipe.yaml", "--run", "sweep", "--over", "decode.contrast=0,0.5", "--items", "1") == 0, world.Error);
        Assert.NotEmpty(Found(world.At("sweep").Root, traces));

        Assert.True(Cope("user", "forget", "sweep", Gone) == 0, world.Error);

        Assert.Empty(Found(world.At("sweep").Root, traces));
        Assert.False(File.Exists(world.At("sweep").SweepReport) || File.Exists(world.At("sweep").ChosenRecipe));
    }

    [Fact]
    public void Others_adapters_that_his_texts_were_held_against_go_too()
    {
        var traces = Rename();
        Assert.True(Cope("run", "recipe.yaml", "--run", "borrowed", "--set", "negatives.kind=random", "--set", "seed=1") == 0, world.Error);
        var run = world.At("borrowed");
        Assert.Contains(File.ReadLines(run.Pairs), line => line.Contains(Left, StringComparison.Ordinal) && line.Contains("headline", StringComparison.Ordinal)); // two users: each borrows from the other

        Assert.True(Cope("user", "forget", "borrowed", Gone) == 0, world.Error);

        Assert.Empty(Found(run.Root, traces));
        Assert.True(Directory.Exists(run.SftAdapter(Left)));
        Assert.False(Directory.Exists(run.DpoAdapter(Left)) || File.Exists(run.Predictions("cope")));
    }

    [Fact]
    public void A_user_who_left_the_data_before_is_erased_by_what_the_run_holds()
    {
        var traces = Rename();
        Assert.True(Cope("run", "recipe.yaml", "--run", "left") == 0, world.Error);
        using (var json = JsonDocument.Parse(File.ReadAllText(Users))) File.WriteAllText(Users, $"[{json.RootElement[1].GetRawText()}]");

        Assert.True(Cope("user", "forget", "left", Gone) == 0, world.Error);

        Assert.DoesNotContain("still holds him", world.Output, StringComparison.Ordinal);
        Assert.Empty(Found(world.At("left").Root, traces));
        Assert.Equal(1, Cope("user", "forget", "left", "nobody"));
    }
}
