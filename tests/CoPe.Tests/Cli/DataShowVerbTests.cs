namespace CoPe.Tests.Cli;

[Collection("torch")]
public sealed class DataShowVerbTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Theory]
    [InlineData("tam", "answer: ", "learned")]
    [InlineData("sft", "answer: ", "learned")]
    [InlineData("dpo", "rejected: ", "made less likely")]
    [InlineData("predict", "prompt: ", "masked")]
    public void An_example_of_each_stage_is_shown_with_its_tokens_and_what_is_learned(string stage, string part, string words)
    {
        Assert.Equal(0, world.Cope(default, "data", "show", "--run", "undisturbed", "--stage", stage));

        Assert.Contains("Generate a headline for the following article", world.Output, StringComparison.Ordinal);
        Assert.Contains(world.Output.Split('\n'), line => line.StartsWith(part, StringComparison.Ordinal) && line.Contains(words, StringComparison.Ordinal));
        Assert.DoesNotContain('\u001b', world.Output);
        Assert.All(world.Output.Split('\n').Where(line => line.StartsWith('|')), line => Assert.True(line.Length <= 80));
    }

    [Fact]
    public void The_bars_take_nothing_from_the_answer_and_end_with_the_end_of_the_turn()
    {
        Assert.Equal(0, world.Cope(default, "data", "show", "--run", "undisturbed", "--stage", "sft", "--user", "2", "--set", "sft.max_words=768"));

        var answer = string.Concat(world.Output[world.Output.IndexOf("answer: ", StringComparison.Ordinal)..].Split('\n').Where(line => line.StartsWith('|'))).Replace("|", "", StringComparison.Ordinal);
        var own = File.ReadAllText(Path.Combine(world.At("data").Root, "news_headline", "user_top_100_history.json"));
        using var json = System.Text.Json.JsonDocument.Parse(own);
        var title = json.RootElement[1].GetProperty("profile")[0].GetProperty("title").GetString()!;
        Assert.Contains(title, answer, StringComparison.Ordinal);
        Assert.True(answer.Length > title.Length);
    }

    [Fact]
    public void What_is_cut_is_said()
    {
        Assert.Equal(0, world.Cope(default, "data", "show", "--run", "undisturbed", "--set", "sft.cut_off=24", "--set", "sft.max_words=2"));

        Assert.Contains("cut to 2 words", world.Output, StringComparison.Ordinal);
        Assert.Contains("cut here", world.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_user_or_item_that_is_not_there_is_said_with_those_that_are()
    {
        Assert.Equal(1, world.Cope(default, "data", "show", "--run", "undisturbed", "--user", "9"));
        Assert.Contains("no test user '9'", world.Error, StringComparison.Ordinal);
        Assert.Equal(1, world.Cope(default, "data", "show", "--run", "undisturbed", "--item", "nothing"));
        Assert.Contains("has no 'nothing' in this stage", world.Error, StringComparison.Ordinal);
    }
}
