using CoPe.Experiments.Data;
using CoPe.Experiments.Tasks;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Data;

public class LampFilesRefusalTests
{
    [Fact]
    public void A_missing_folder_a_missing_task_and_a_missing_file_are_named()
    {
        using var folder = new LampTestFolder();
        Assert.Contains(
            "no such folder",
            Assert
                .Throws<DataFileException>(() =>
                    LampFiles.Read(Path.Combine(folder.Path, "nowhere"), LampTasks.NewsHeadline)
                )
                .Message
        );
        Directory.CreateDirectory(Path.Combine(folder.Path, "news_headlines"));
        Assert.Contains("only the folders news_headlines", folder.ReadError().Message);
        Directory.CreateDirectory(folder.TaskPath);
        Assert.EndsWith(LampFiles.UsersFile, folder.ReadError().Location.File);
    }

    [Fact]
    public void A_history_item_without_a_field_is_named_with_file_user_item_and_field()
    {
        using var folder = new LampTestFolder().WithFiles(
            $"[{LampTestFolder.ValidUser.Replace(", \"title\": \"New\"", "")}]"
        );
        var refused = folder.ReadError();
        Assert.EndsWith(LampFiles.UsersFile, refused.Location.File);
        Assert.Equal(("7", "2", "title"), (refused.Location.User, refused.Location.Item, refused.Location.Field));
        Assert.Contains("only the fields text", refused.Message);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Theory]
    [InlineData("\"New\"", "null", "title")]
    [InlineData("\"New\"", "\" \"", "title")]
    [InlineData("\"New\"", "[\"New\"]", "title")]
    [InlineData("\"profile\"", "\"profil\"", "profile")]
    [InlineData("\"query\"", "\"queries\"", "query")]
    [InlineData("\"user_id\"", "\"id\"", "user_id")]
    [InlineData("\"input\"", "\"inputs\"", "input")]
    [InlineData("\"user_id\": 7", "\"user_id\": [7]", "user_id")]
    [InlineData("\"user_id\": 7", "\"user_id\": null", "user_id")]
    public void A_faulty_user_is_refused_with_the_field(string good, string bad, string field)
    {
        using var folder = new LampTestFolder().WithFiles($"[{LampTestFolder.ValidUser.Replace(good, bad)}]");
        Assert.Equal(field, folder.ReadError().Location.Field);
    }

    [Fact]
    public void An_empty_history_a_user_without_queries_and_a_file_without_users_are_refused()
    {
        using var folder = new LampTestFolder().WithFiles(
            """[{"user_id": 1, "profile": [], "query": [{"id": 9, "input": "x", "gold": "y"}]}]"""
        );
        Assert.Contains("user 1, field \"profile\": found an empty history", folder.ReadError().Message);
        folder.WithFiles("""[{"user_id": 1, "profile": [{"id": 1, "text": "a", "title": "b"}], "query": []}]""");
        Assert.Contains("user 1, field \"query\": found no query", folder.ReadError().Message);
        folder.WithFiles("[]");
        Assert.Contains("no usable user", folder.ReadError().Message);
    }

    [Fact]
    public void Other_users_need_queries_but_no_history()
    {
        using var folder = new LampTestFolder().WithFiles(
            $"[{LampTestFolder.ValidUser}]",
            """[{"user_id": 1, "profile": [], "query": [{"id": 9, "input": "x", "gold": "y"}]}]"""
        );
        Assert.Empty(folder.Read().Others[0].History);
        folder.WithFiles($"[{LampTestFolder.ValidUser}]", """[{"user_id": 1, "profile": [], "query": []}]""");
        Assert.EndsWith(LampFiles.OthersFile, folder.ReadError().Location.File);
    }

    [Theory]
    [InlineData("[{0}, {0}]", "two users")]
    [InlineData("[{0}, {1}]", "two queries")]
    [InlineData("[{2}]", "two history items with the id \"2\"")]
    public void Duplicate_ids_are_refused(string layout, string found)
    {
        var users = layout
            .Replace("{0}", LampTestFolder.ValidUser)
            .Replace("{1}", LampTestFolder.ValidUser.Replace("7", "8"))
            .Replace("{2}", LampTestFolder.ValidUser.Replace("\"id\": 1", "\"id\": 2"));
        using var folder = new LampTestFolder().WithFiles(users);
        Assert.Contains(found, folder.ReadError().Message);
    }

    [Theory]
    [InlineData("", "an empty file")]
    [InlineData("\0\0\0\0", "no valid JSON")]
    [InlineData("[{\"user_id\": 1,\n", "no valid JSON at line 2")]
    [InlineData(
        "[{\"user_id\": \"\\ud800\"}]",
        "user number 1, field \"user_id\": found text that is no valid Unicode"
    )]
    [InlineData(
        "[{\"user_id\": 1, \"profile\": [{\"id\": 5, \"te",
        "user 1, item number 1: found no valid JSON at line 1"
    )]
    [InlineData("{\"user_id\": 1}", "an object")]
    [InlineData("[1]", "found 1, expected an object")]
    [InlineData("a,b\n1,2", "no valid JSON")]
    public void A_file_that_is_no_array_of_users_is_refused(string text, string found)
    {
        using var folder = new LampTestFolder().WithFiles(text);
        Assert.Contains(found, folder.ReadError().Message);
    }

    [Fact]
    public void Golds_that_are_missing_or_disagree_are_refused_unless_none_are_needed()
    {
        var blind = $"[{LampTestFolder.ValidUser.Replace(", \"gold\": \"Gold\"", "")}]";
        using var folder = new LampTestFolder().WithFiles(blind);
        Assert.Contains("no such file, and no gold", folder.ReadError().Message);
        Assert.Equal("", folder.Read(new() { RequireGolds = false }).Users[0].Queries[0].Gold);
        folder.WithFiles(blind, labels: """{"golds": [{"id": 1, "output": "x"}]}""");
        Assert.Contains("no label for the query", folder.ReadError().Message);
        folder.WithFiles($"[{LampTestFolder.ValidUser}]", labels: """{"golds": [{"id": 3, "output": "Another"}]}""");
        Assert.Contains("another gold", folder.ReadError().Message);
        folder.WithFiles(blind, labels: """{"golds": [{"id": 3, "output": "x"}, {"id": 3, "output": "x"}]}""");
        Assert.Contains("two labels", folder.ReadError().Message);
        folder.WithFiles(blind, labels: """{"golds": [{"id": 3, "output": " "}]}""");
        Assert.Contains("an empty label, and no gold", folder.ReadError().Message);
    }

    [Fact]
    public void A_query_of_another_user_without_gold_is_refused_unless_none_are_needed()
    {
        var silent = LampTestFolder.ValidUser.Replace("7", "9").Replace("\"Gold\"", "null");
        using var folder = new LampTestFolder().WithFiles($"[{LampTestFolder.ValidUser}]", others: $"[{silent}]");
        var refused = folder.ReadError();
        Assert.Equal(("9", "3", "gold"), (refused.Location.User, refused.Location.Item, refused.Location.Field));
        Assert.EndsWith(LampFiles.OthersFile, refused.Location.File);
        Assert.Equal("", folder.Read(new() { RequireGolds = false }).Others[0].Queries[0].Gold);
    }

    [Fact]
    public void Limits_below_one_are_refused() =>
        Assert.Contains(
            "HistoryCap is 0",
            Assert.Throws<ArgumentOutOfRangeException>(() => new LampReadOptions { HistoryCap = 0 }).Message
        );
}
