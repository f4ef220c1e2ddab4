using System.Text.Json;
using CoPe.Data;
using CoPe.Runs.Privacy;

namespace CoPe.Tests.Cli;

[Collection("torch")]
public sealed class UserVerbTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    static string Users(TinyWorld world) => Path.Combine(world.At("data").Root, "news_headline", LampFiles.UsersFile);

    [Fact]
    public void Users_are_listed_shown_and_forgotten_completely_while_the_run_stays_whole()
    {
        Assert.Equal(0, world.Cope(default, "user", "ls", "undisturbed"));
        Assert.Equal(3, world.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(0, world.Cope(default, "user", "show", "undisturbed", "1"));
        Assert.All((string[])["sft/1", "dpo/1", "negatives/candidates.jsonl", "negatives/pairs.jsonl", "predictions/cope.json", "evaluation/likelihood.jsonl", "metrics/train-sft.jsonl", "report.html", "results.json"], path => Assert.Contains(path, world.Output, StringComparison.Ordinal));
        var run = world.At("undisturbed");
        var (texts, queries) = Known(0);
        Assert.Contains(Files(run.Root), file => queries.Any(query => File.ReadAllText(file).Contains($"\"query\":\"{query}\"", StringComparison.Ordinal)));

        Assert.True(world.Cope(default, "user", "forget", "undisturbed", "1") == 0, world.Error);

        // The whole run directory, whatever the kind of file: no text of his, no query of his, no line with his id.
        foreach (var file in Files(run.Root))
        {
            var content = File.ReadAllText(file);
            Assert.DoesNotContain(texts, content.Contains);
            Assert.DoesNotContain(queries, query => content.Contains($"\"query\":\"{query}\"", StringComparison.Ordinal) || content.Contains($"\"id\": \"{query}\"", StringComparison.Ordinal));
            Assert.DoesNotContain("\"user\":\"1\"", content, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(run.SftAdapter("1")) || Directory.Exists(run.DpoAdapter("1")));
        Assert.True(Directory.Exists(run.DpoAdapter("2")));
        using var results = JsonDocument.Parse(File.ReadAllText(run.Results));
        Assert.Equal(2, results.RootElement.GetProperty("cope").GetProperty("rouge-l").GetProperty("n").GetInt32());

        // He does not come back, although the data still hold him, and nothing is out of date.
        Assert.Equal(0, world.Run("undisturbed"));
        Assert.DoesNotContain("begins", world.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(run.SftAdapter("1")));
        Assert.Equal(0, world.Cope(default, "user", "ls", "undisturbed"));
        Assert.DoesNotContain("\n1 ", world.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_user_who_is_not_there_or_trained_the_task_model_is_refused()
    {
        Assert.Equal(1, world.Cope(default, "user", "forget", "undisturbed", "nobody"));
        Assert.Contains("has no user 'nobody'", world.Error, StringComparison.Ordinal);
        using var others = JsonDocument.Parse(File.ReadAllText(Users(world).Replace(LampFiles.UsersFile, LampFiles.OthersFile, StringComparison.Ordinal)));
        Assert.Equal(1, world.Cope(default, "user", "forget", "undisturbed", others.RootElement[0].GetProperty("user_id").GetString()!));
        Assert.Contains("task-adaptive model", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_list_of_forgotten_users_names_nobody()
    {
        var run = world.At("elsewhere");
        ForgottenUsers.Read(run).With("Ada Lovelace").Write(run);

        Assert.True(ForgottenUsers.Read(run).Contains("Ada Lovelace"));
        Assert.False(ForgottenUsers.Read(run).Contains("Ada"));
        Assert.DoesNotContain("Ada", File.ReadAllText(run.Forgotten), StringComparison.Ordinal);
    }

    static IEnumerable<string> Files(string root) => Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != ".lock");

    (List<string> Texts, List<string> Queries) Known(int place)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Users(world)));
        var user = json.RootElement[place];
        return ([.. user.GetProperty("profile").EnumerateArray().Select(item => item.GetProperty("title").GetString()!), .. user.GetProperty("query").EnumerateArray().Select(query => query.GetProperty("gold").GetString()!)], [.. user.GetProperty("query").EnumerateArray().Select(query => query.GetProperty("id").GetString()!)]);
    }
}
