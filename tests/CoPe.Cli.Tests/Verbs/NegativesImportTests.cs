using System.Text.Json.Nodes;
using CoPe.Experiments.Data;

namespace CoPe.Cli.Tests.Verbs;

/// <summary><c>cope negatives import</c>: the files of the reference in the place of sampling and selecting.</summary>
[Collection("torch")]
public sealed class NegativesImportTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    [Fact]
    public void Candidates_and_selections_are_taken_and_the_rest_of_the_run_is_built_on_them()
    {
        Prepare("taken");
        Cope("taken", $"negatives import {WriteFile("candidates.json", isSelected: false)}");

        var run = world.RunAt("taken");
        var lines = ReadLines(run.Candidates);
        Assert.Equal(6, lines.Count);
        Assert.All(lines, line => Assert.Equal("import candidates.json", (string)line["source"]!));
        Assert.Equal(["one of 1", "another of 1"], lines[0]["candidates"]!.AsArray().Select(text => (string)text!));
        Assert.Contains("12 candidates of 6 history items from candidates.json; 18 left out", world.Error);
        Assert.False(File.Exists(run.Pairs));

        Cope("taken", "negatives select", "train dpo");
        Assert.All(
            ReadLines(run.Pairs),
            pair => Assert.Contains((string)pair["rejected"]!, "one of 1, another of 1, one of 2, another of 2")
        );

        Refuse("taken", $"negatives import {WriteFile("file_max.json", isSelected: true)}", "--again");
        Cope("taken", $"negatives import {WriteFile("file_max.json", isSelected: true)} --again");
        var chosen = ReadLines(run.Pairs)[0];
        Assert.Equal("another of 1", (string)chosen["rejected"]!);
        Assert.Equal(-0.5, (double)chosen["rejected_reward"]!);
        Assert.Null(chosen["chosen_reward"]);

        Cope("taken", "status");
        Assert.Contains("negatives sample   complete", world.Output);
        Assert.Contains("negatives select   complete", world.Output);
        Assert.Contains("train dpo          out of date", world.Output);

        Cope("taken", "run");
        Assert.Equal("another of 1", (string)ReadLines(run.Pairs)[0]["rejected"]!);
        Cope("taken", "negatives sample --again");
        Assert.All(ReadLines(run.Candidates), line => Assert.Null(line["source"]));
        Cope("taken", "status");
        Assert.Contains("negatives select   out of date", world.Output);
    }

    [Theory]
    [InlineData("""[{"user_id": "9", "profile": [{"id": "8", "pseudo_negative": ["a"]}]}]""", "item 8 of user 9")]
    [InlineData("""[{"user_id": "1", "profile": [{"id": "1"}]}]""", "no \"pseudo_negative\" in 1 history items")]
    [InlineData("""{"task": "t"}""", "found an object, expected an array of users")]
    [InlineData(
        """[{"user_id": "1", "profile": [{"id": "7", "pseudo_negative": [{}]}]}]""",
        "user 1, item 7, field \"pseudo_negative\": found an object"
    )]
    [InlineData(
        """[{"user_id": 1, "profile": [{"id": 7, "pseudo_negative": ["a"], "score_differences": [1, 2]}]}]""",
        "2 score_differences of 1 candidates"
    )]
    [InlineData("""[{"profile": []}]""", "found no user_id")]
    public void A_file_that_is_none_is_refused_and_changes_nothing(string json, string message)
    {
        Prepare("refused");
        File.WriteAllText(world.PathOf("wrong.json"), json);
        Refuse("refused", "negatives import wrong.json", message);
        Assert.False(File.Exists(world.RunAt("refused").Candidates));
    }

    [Fact]
    public void A_file_that_is_not_there_is_a_usage_error()
    {
        Assert.Equal(2, world.RunCommand(default, "negatives", "import", "none.json", "--run", "undisturbed"));
        Assert.Contains("none.json is no file", world.Error);
    }

    void Prepare(string run) => Cope(run, "train tam recipe.yaml", "train sft");

    /// <summary>
    /// The data with candidates: empty, the own text, one twice, and two that are usable, one behind its reasoning.
    /// </summary>
    string WriteFile(string name, bool isSelected)
    {
        var data = world.PathOf($"data/news_headline/{LampFiles.UsersFile}");
        var users = JsonNode.Parse(File.ReadAllText(data))!.AsArray();
        foreach (var user in users)
        {
            foreach (var item in user!["profile"]!.AsArray().Select(item => item!.AsObject()))
            {
                var (one, other) = ($" one of {user["user_id"]} ", $"another of {user["user_id"]}");
                other = $"<think>\nHow do they write?\n</think>\n\n{other}";
                item["pseudo_negative"] = new JsonArray("", (string)item["title"]!, one, one.Trim(), other);
                if (isSelected)
                {
                    item["score_differences"] = new JsonArray(0, 0, 0.25, 0.25, 0.5);
                    item["final_score_difference"] = 0.5;
                    item["negative_response"] = other;
                }
            }
        }

        File.WriteAllText(world.PathOf(name), users.ToJsonString());
        return name;
    }

    static IReadOnlyList<JsonNode> ReadLines(string path) =>
        [.. File.ReadAllLines(path).Select(line => JsonNode.Parse(line)!)];

    void Cope(string run, params IEnumerable<string> verbs)
    {
        foreach (var verb in verbs)
        {
            Assert.True(world.RunCommand(default, [.. verb.Split(' '), "--run", run]) == 0, $"{verb}: {world.Error}");
        }
    }

    void Refuse(string run, string verb, string message)
    {
        Assert.NotEqual(0, world.RunCommand(default, [.. verb.Split(' '), "--run", run]));
        Assert.Contains(message, world.Error, StringComparison.Ordinal);
    }
}
