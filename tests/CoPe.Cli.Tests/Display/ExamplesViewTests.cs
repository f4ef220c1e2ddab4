namespace CoPe.Cli.Tests.Display;

public sealed class ExamplesViewTests : IDisposable
{
    readonly InProcessCommand _cope = new();

    public void Dispose() => _cope.Dispose();

    [Fact]
    public void The_answers_shown_are_those_that_differ_most()
    {
        string[] users = ["first", "second", "third"];
        var data = users.Select(user =>
            $$"""
                {
                  "user_id": "{{user}}",
                  "profile": [{"id": "h", "text": "t", "title": "t"}],
                  "query": [{"id": "{{user}}", "input": "asks {{user}}", "gold": "gold"}]
                }
                """
        );
        File.WriteAllText(_cope.At("data/news_headline/user_top_100_history.json"), $"[{string.Join(',', data)}]");
        Assert.Equal(0, _cope.Run("run", "recipe.yaml"));
        WriteAnswers("base", "the same", "the red sky", "nothing shared");
        WriteAnswers("cope", "the same", "the red sea", "in these words");

        Assert.Equal(0, _cope.Run("run", "recipe.yaml"));

        var shown = _cope.Output.Split('\n').Where(line => line.StartsWith("user ", StringComparison.Ordinal));
        Assert.Equal(["user third: asks third", "user second: asks second"], shown.Select(line => line.Trim()));

        void WriteAnswers(string method, params string[] answers)
        {
            var golds = users.Zip(answers, (user, answer) => $$"""{"id": "{{user}}", "output": "{{answer}}"}""");
            File.WriteAllText(
                _cope.At($"runs/recipe/predictions/{method}.json"),
                $$"""{"task": "LaMP_4", "golds": [{{string.Join(',', golds)}}]}"""
            );
        }
    }
}
