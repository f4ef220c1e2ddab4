using System.Text.Json.Nodes;
using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

public sealed class StageOutputTests : IDisposable
{
    const string Text = "A text long enough to be told apart";

    static readonly UserIdentity Ada = new("ada", ["q1", "q2"], [Text]);

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Lines_lose_those_that_name_the_user_their_queries_or_their_texts()
    {
        var lines = new UserLines(
            Write(
                "lines.jsonl",
                """{"user":"ada","loss":1}""",
                """{"user":"bob","rejected":["other","A text long enough to be told apart "]}""",
                """{"query":"q2"}""",
                """{"user":"bob","loss":2}""",
                """{"user":"ada" """
            )
        );

        Assert.True(lines.BorrowsFrom(Ada));
        Assert.Equal(4, Assert.Single(lines.FindTraces(Ada)).Count);
        lines.RemoveUser(Ada);

        Assert.Equal(["""{"user":"bob","loss":2}"""], File.ReadAllLines(lines.FullPath));
        Assert.Empty(lines.FindTraces(Ada));
    }

    [Fact]
    public void Predictions_lose_the_answers_to_the_users_queries_and_keep_everything_else()
    {
        var predictions = new UserPredictions(
            Write(
                "cope.json",
                """{"task":"LaMP_4","golds":[{"id":"q1","output":"a"},{"id":"q3","output":"b"}],"x":1}"""
            )
        );

        Assert.Equal(["q1", "q3"], predictions.ReadQueryIds());
        predictions.RemoveUser(Ada);

        var expected = JsonNode.Parse("""{"task":"LaMP_4","golds":[{"id":"q3","output":"b"}],"x":1}""");
        Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(File.ReadAllText(predictions.FullPath))));
    }

    [Fact]
    public void Adapters_are_inseparable_from_a_user_whose_text_another_users_pair_rejects()
    {
        Write("dpo/ada/adapter.json", "{}");
        Write("dpo/bob/adapter.json", "{}");
        var pairs = new UserLines(_folder.At("pairs.jsonl"));
        var adapters = new UserAdapters(_folder.At("dpo"), "DPO") { Pairs = pairs };
        Assert.False(adapters.IsInseparableFrom(Ada));

        Write("pairs.jsonl", $$"""{"user":"bob","item":"1","rejected":"{{Text}}"}""");
        Assert.True(adapters.IsInseparableFrom(Ada));

        adapters.RemoveUser(Ada);
        Assert.Equal([adapters.GetFolder("bob")], Directory.GetDirectories(adapters.FullPath));
    }

    [Fact]
    public void What_no_user_is_part_of_stays_and_what_holds_all_of_them_is_removed_whole()
    {
        var task = new TaskOutput(Write("tam/adapter.json", "{}"));
        var joint = new JointAdapter(Write("tam-all/adapter.json", "{}"));
        var figures = new UserFigures(Write("results.json", "{}"));

        Assert.True(joint.IsInseparableFrom(Ada));
        foreach (var output in (StageOutput[])[task, joint, figures])
        {
            Assert.Equal(output.HoldsUsers, output.FindTraces(Ada).Any());
            output.RemoveUser(Ada);
            Assert.Equal(!output.HoldsUsers, output.Exists);
        }
    }

    [Fact]
    public void A_borrowed_text_is_its_writers_however_short_or_cut()
    {
        var pairs = new UserLines(
            Write(
                "pairs.jsonl",
                """{"user":"bob","item":"1","rejected":"Yes","borrowed_from":"ada"}""",
                """{"user":"bob","item":"2","rejected":"Yes","borrowed_from":"cyd"}"""
            )
        );
        Write("dpo/bob/adapter.json", "{}");

        Assert.True(new UserAdapters(_folder.At("dpo"), "DPO") { Pairs = pairs }.IsInseparableFrom(Ada));
        pairs.RemoveUser(Ada);

        Assert.Contains("\"cyd\"", Assert.Single(File.ReadAllLines(pairs.FullPath)), StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_and_answers_are_found_at_any_depth_and_where_keys_stand_twice()
    {
        var deep = new string('[', 1000) + new string(']', 1000);
        var lines = new UserLines(
            Write("lines.jsonl", $$"""{"user":"bob","a":{{deep}},"user":"ada"}""", """{"user":"bob","user":"cyd"}""")
        );
        var predictions = new UserPredictions(
            Write("p.json", $$"""{"golds":[{"id":"q3","id":"q1","x":{{deep}}},{"id":5}],"golds":[{"id":"q2"}]}""")
        );

        lines.RemoveUser(Ada);
        predictions.RemoveUser(Ada);

        Assert.Equal("""{"user":"bob","user":"cyd"}""", Assert.Single(File.ReadAllLines(lines.FullPath)));
        Assert.Equal("""{"golds":[{"id":5}],"golds":[]}""" + "\n", File.ReadAllText(predictions.FullPath));
    }

    string Write(string file, params string[] lines)
    {
        _folder.Write(file, string.Join('\n', lines) + "\n");
        return _folder.At(file);
    }
}
