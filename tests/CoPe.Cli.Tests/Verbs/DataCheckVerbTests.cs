using System.Text.Json;
using CoPe.Experiments.Data;

namespace CoPe.Cli.Tests.Verbs;

public sealed class DataCheckVerbTests : IDisposable
{
    const string Leaky = """
        [{
          "user_id": "u1",
          "profile": [{"id": "h", "text": "t", "title": "It Rains All Day"}, {"id": "i", "text": "u", "title": "v"}],
          "query": [{"id": "q1", "input": "i", "gold": "It rains all day"}]
        }]
        """;

    readonly InProcessCommand _cope = new();

    public void Dispose() => _cope.Dispose();

    [Fact]
    public void Good_data_ends_with_zero_and_a_leak_with_one_and_its_place()
    {
        Assert.Equal(0, _cope.Run("data", "check", "data"));
        Assert.Contains("fit for a run", _cope.Output, StringComparison.Ordinal);

        File.WriteAllText(_cope.At("data/news_headline/" + LampFiles.UsersFile), Leaky);
        Assert.Equal(1, _cope.Run("data", "check", "data/news_headline"));
        Assert.Contains(
            "user_top_100_history.json, user u1, item h: it is query q1 of user u1\n",
            _cope.Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_clean_copy_is_fit_for_a_run()
    {
        File.WriteAllText(_cope.At("data/news_headline/" + LampFiles.UsersFile), Leaky);

        Assert.Equal(0, _cope.Run("data", "check", "data", "--fix", "clean"));
        Assert.Equal(0, _cope.Run("data", "check", "clean"));
        Assert.Equal(2, _cope.Run("data", "check", "data", "--fix", "data"));
    }

    [Fact]
    public void The_report_as_json_has_every_finding_with_its_place()
    {
        File.WriteAllText(_cope.At("data/news_headline/" + LampFiles.UsersFile), Leaky);

        Assert.Equal(1, _cope.Run("data", "check", "data/news_headline/" + LampFiles.UsersFile, "--json"));

        using var json = JsonDocument.Parse(_cope.Output);
        var finding = json.RootElement[0].GetProperty("findings")[0];
        Assert.Equal("leak_text", finding.GetProperty("rule").GetString());
        Assert.Equal(
            ("u1", "h"),
            (
                finding.GetProperty("places")[0].GetProperty("user").GetString(),
                finding.GetProperty("places")[0].GetProperty("item").GetString()
            )
        );
    }

    [Theory]
    [InlineData("nowhere", "no such file or folder")]
    [InlineData(".", "neither user_top_100_history.json")]
    public void What_is_no_data_is_said(string path, string message)
    {
        Assert.Equal(1, _cope.Run("data", "check", path));
        Assert.Contains(message, Assert.Single(_cope.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LampFiles.UsersFile)]
    [InlineData(LampFiles.OthersFile)]
    public void A_folder_in_the_place_of_a_file_is_an_error_that_no_clean_copy_mends(string file)
    {
        File.Delete(_cope.At("data/news_headline/" + file));
        Directory.CreateDirectory(_cope.At("data/news_headline/" + file));

        Assert.Equal(1, _cope.Run("data", "check", "data", "--fix", "clean"));
        Assert.Contains($"{file}: a folder in its place", _cope.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("a clean copy was written", _cope.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_in_the_place_of_the_label_file_is_an_error_though_golds_may_stand_in_the_queries()
    {
        Directory.CreateDirectory(_cope.At("data/news_headline/" + LampFiles.LabelsFile));

        Assert.Equal(1, _cope.Run("data", "check", "data"));
        Assert.Contains($"{LampFiles.LabelsFile}: a folder in its place", _cope.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Large_counts_keep_their_digits_in_one_line()
    {
        var items = string.Join(
            ", ",
            Enumerable.Range(0, 20_000).Select(i => $$"""{"id": {{i}}, "text": "a {{i}}", "title": "b {{i}}"}""")
        );
        File.WriteAllText(
            _cope.At("data/news_headline/" + LampFiles.UsersFile),
            $$"""[{"user_id": "u1", "profile": [{{items}}], "query": [{"id": "q1", "input": "i", "gold": "g"}]}]"""
        );

        Assert.Equal(0, _cope.Run("data", "check", "data"));
        Assert.Contains(
            _cope.Output.Split('\n'),
            line =>
                line.Contains(LampFiles.UsersFile + " ", StringComparison.Ordinal) && line.Split("20,000").Length == 5
        );
    }

    [Fact]
    public void A_folder_that_names_no_task_needs_one()
    {
        Directory.Move(_cope.At("data/news_headline"), _cope.At("data/mine"));

        Assert.Equal(1, _cope.Run("data", "check", "data/mine"));
        Assert.Contains("--task", _cope.Error, StringComparison.Ordinal);
        Assert.Equal(0, _cope.Run("data", "check", "data/mine", "--task", "news_headline"));
    }
}
